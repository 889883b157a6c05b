"""Every file of conf/data is found, explained and fits its class; those that need no files fulfil the contract."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

import mmattn.conf
from mmattn.contracts.source import check_source
from mmattn.data.source import Source

CONFIGS = sorted((Path(mmattn.conf.__file__).parent / "data").glob("*.yaml"))
SELF_CONTAINED = [path for path in CONFIGS if not OmegaConf.is_missing(OmegaConf.load(path), "root")]


def name(path):
    return path.stem


def test_there_are_configs_to_test():
    assert {"digits", "python_docs", "python_topics", "synthetic_audio", "peptides"} == set(map(name, SELF_CONTAINED))


@pytest.mark.parametrize("path", CONFIGS, ids=name)
def test_a_config_explains_itself_and_fits_its_class(path):
    text = path.read_text(encoding="utf-8")
    header = text.split("\n\n")[0]
    assert all(line.startswith("#") for line in header.splitlines())
    assert "mmattn train " in header and f"data={path.stem}" in header
    config = OmegaConf.load(path)
    target = get_class(config.pop("_target_"))
    assert issubclass(target, Source) and target.__doc__
    parameters = inspect.signature(target).parameters
    assert set(config.keys()) <= set(parameters), "the config names an argument that the class does not have"
    assert "root" in list(config) or "root" not in parameters


@pytest.mark.parametrize("path", SELF_CONTAINED, ids=name)
def test_a_source_without_files_fulfils_the_contract(path):
    assert check_source(instantiate(OmegaConf.load(path)), limit=60) == []


SOURCE_FILES = sorted(Path(inspect.getfile(Source)).parent.glob("*.py"))


@pytest.mark.parametrize("path", SOURCE_FILES, ids=name)
def test_a_source_is_light_to_import(path):
    heavy = {"sklearn", "pandas", "pyarrow", "datasets", "torchvision", "torchaudio", "modlamp", "scipy", "lightning"}
    top = ast.parse(path.read_text(encoding="utf-8")).body
    modules = [alias.name for node in top if isinstance(node, ast.Import) for alias in node.names]
    modules += [node.module or "" for node in top if isinstance(node, ast.ImportFrom)]
    assert not heavy & {module.split(".")[0] for module in modules}
