"""Every file of conf/data is found, explained and fits its class; those that need no files fulfil the contract."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
import soundfile
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

import mmattn.conf
from mmattn.contracts.source import check_source
from mmattn.data.source import Source

CONFIGS = sorted((Path(mmattn.conf.__file__).parent / "data").glob("*.yaml"))
SELF_CONTAINED = [
    path
    for path in CONFIGS
    if not {"root", "parts"} & OmegaConf.missing_keys(OmegaConf.load(path)) and "defaults" not in OmegaConf.load(path)
]


def name(path):
    return path.stem


def test_there_are_configs_to_test():
    audio, text = {"synthetic_audio", "synthetic_chords"}, {"python_code", "python_docs", "python_topics"}
    pairs = {"dates", "scenes", "scenes_hard"}
    assert {"digits", "peptides", *audio, *text, *pairs} == set(map(name, SELF_CONTAINED))


@pytest.mark.parametrize("path", CONFIGS, ids=name)
def test_a_config_explains_itself_and_fits_its_class(path):
    text = path.read_text(encoding="utf-8")
    header = text.split("\n\n")[0]
    assert all(line.startswith("#") for line in header.splitlines())
    assert "mmattn train " in header and f"data={path.stem}" in header
    config = OmegaConf.load(path)
    config.pop("defaults", None)
    target = get_class(config.pop("_target_"))
    assert issubclass(target, Source) and target.__doc__
    parameters = inspect.signature(target).parameters
    assert set(config.keys()) <= set(parameters), "the config names an argument that the class does not have"
    assert "root" in list(config) or "root" not in parameters


@pytest.mark.parametrize("path", SELF_CONTAINED, ids=name)
def test_a_source_without_files_fulfils_the_contract(path):
    assert check_source(instantiate(OmegaConf.load(path)), limit=60) == []


SOURCE_FILES = sorted({Path(inspect.getfile(get_class(OmegaConf.load(path)["_target_"]))) for path in CONFIGS})


@pytest.mark.parametrize("path", SOURCE_FILES, ids=name)
def test_a_source_is_light_to_import(path):
    heavy = {
        "sklearn",
        "pandas",
        "pyarrow",
        "datasets",
        "torchvision",
        "torchaudio",
        "modlamp",
        "scipy",
        "lightning",
        "babel",
    }
    top = ast.parse(path.read_text(encoding="utf-8")).body
    modules = [alias.name for node in top if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module or "" for node in top if isinstance(node, ast.ImportFrom)]
    assert not heavy & {module.split(".")[0] for module in modules}


def test_presets_read_the_files_they_name(tmp_path):
    """Each preset on a tiny folder laid out as the real one."""
    table = "text,label\n" + "".join(f"text {label},{label}\n" for label in range(6))
    for name in ("AMP_train_common", "AMP_test_common", "non_AMP_train_balanced", "non_AMP_test_balanced"):
        (tmp_path / f"AMPlify_{name}.fa").write_text(f">{name}\nMKV\n")
    for name in ("train.csv", "test.csv", "valid.csv"):
        (tmp_path / name).write_text("\n".join(table.splitlines()[:3]) + "\n")
    (tmp_path / "input.txt").write_text("First Citizen:\n" * 10)
    for name in ("7_theo_0.wav", "7_theo_5.wav", "8_theo_12.wav"):
        soundfile.write(tmp_path / name, [0.0] * 8, 8000)
    for preset in ("amplify", "sst2", "tinyshakespeare", "fsdd"):
        assert check_source(instantiate(load(preset), root=str(tmp_path))) == [], preset
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text(table)
    trec = instantiate(load("trec"), root=str(tmp_path))
    assert check_source(trec) == [] and trec.classes[3] == "human"
    fsdd = instantiate(load("fsdd"), root=str(tmp_path))
    assert fsdd.classes == ("7", "8") and [len(fsdd.samples(split)) for split in ("train", "test")] == [2, 1]


def load(name):
    return OmegaConf.load(next(path for path in CONFIGS if path.stem == name))
