"""`train` through Hydra: what it prints, sweeps, and a user's own folder."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image

from mmattn.cli.main import main
from mmattn.cli.sweep import Swept, summary
from mmattn.composition.words import experiment
from tests.cli.small import SMALL

MINE = """
from mmattn.tokenizers.image import ImageTokenizer

class Inverted(ImageTokenizer):
    def embed(self, batch):
        return super().embed({**batch, "patches": 255 - batch["patches"]})
"""


def test_cfg_prints_the_config_and_trains_nothing(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "image", "--cfg", "job", "backbone.depth=7"]) == 0
    assert OmegaConf.create(capsys.readouterr().out).backbone.depth == 7
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [["image", "seed=1", "~callbacks"], ["seed=1", "image", "~callbacks"]])
def test_the_experiments_name_may_stand_anywhere(words):
    assert experiment(words) == ["experiment=image", "seed=1", "~callbacks"]


def test_a_second_word_without_a_value_is_named(capsys):
    assert main(["train", "image", "backbone.depth", "7"]) == 1
    assert "'backbone.depth' is no setting, and the experiment is 'image'" in capsys.readouterr().err


def test_info_shows_where_parts_come_from(capsys):
    assert main(["train", "image", "--info", "defaults"]) == 0
    assert "data/digits" in capsys.readouterr().out


def test_info_leaves_the_loggers_as_they_were():
    root = logging.getLogger()
    before = list(root.handlers), root.level
    main(["train", "image", "--info", "defaults"])
    assert (list(root.handlers), root.level) == before


def test_a_sweep_makes_runs_and_a_summary(capsys, tmp_path):
    words = [*SMALL, "trainer.max_epochs=1", f"run.dir={tmp_path / 'sweep'}"]
    assert main(["train", "image", "-m", "seed=0,1", *words]) == 0
    shown = capsys.readouterr().out
    found = [json.loads((tmp_path / "sweep" / str(i) / "results.json").read_text()) for i in range(2)]
    assert [each["seed"] for each in found] == [0, 1] and found[0]["test"] != found[1]["test"]
    assert f"{sum(each['test']['loss'] for each in found) / 2:.4f} ±" in shown


def test_a_sweep_is_not_put_among_other_files(capsys, tmp_path):
    (tmp_path / "sweep" / "0").mkdir(parents=True)
    assert main(["train", "image", "-m", "seed=0,1", *SMALL, f"run.dir={tmp_path / 'sweep'}"]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "sweep").rglob("*")] == ["0"]


def test_a_sweep_says_which_run_failed(capsys, tmp_path):
    words = [*SMALL, "trainer.max_epochs=1", f"run.dir={tmp_path / 'sweep'}"]
    assert main(["train", "image", "--multirun", "loader.batch_size=32,0", *words]) == 1
    shown = capsys.readouterr()
    assert "loader.batch_size=0 must be" in shown.err and "1 of 2 runs failed: 1" in shown.err
    assert "failed" in shown.out and (tmp_path / "sweep" / "0" / "results.json").is_file()


def test_a_misspelt_value_of_a_sweep_is_found_before_it_begins(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "image", "-m", "pattern=full,causa"]) == 1
    assert "Did you mean 'causal'?" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_only_runs_that_differ_in_the_seed_are_averaged():
    runs = [
        Swept(str(i), (f"seed={i % 2}", f"backbone.depth={depth}"), {"accuracy": accuracy})
        for i, (depth, accuracy) in enumerate([(1, 0.5), (1, 0.7), (2, 0.8), (2, 0.9)])
    ]
    lines = summary(runs).splitlines()
    assert [line.split()[-3:] for line in lines[-2:]] == [["0.6000", "±", "0.1414"], ["0.8500", "±", "0.0707"]]


def test_a_failed_start_leaves_no_folder(tmp_path):
    assert main(["train", "image", "loader.batch_size=0", f"run.dir={tmp_path / 'run'}"]) == 1
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A user's folder with a tokenizer, and a run trained with it."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "my_modality.py").write_text(MINE)
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer" / "mine.yaml").write_text("defaults: [image]\n_target_: my_modality.Inverted\n")
    words = [*SMALL, "tokenizer=mine", "tokenizer.channels=1", "tokenizer.patch=2", "name=mine"]
    assert main(["train", "--config-dir", str(folder), *words, f"run.dir={folder / 'run'}"]) == 0
    return folder


def test_a_users_own_tokenizer_is_used_by_every_verb(own, capsys):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(own / "a.png")
    assert main(["evaluate", str(own / "run"), "--config-dir", str(own)]) == 0
    assert main(["predict", str(own / "run"), str(own / "a.png"), "--config-dir", str(own)]) == 0
    assert main(["train", "--resume", str(own / "run"), "--config-dir", str(own)]) == 0
    assert "accuracy" in capsys.readouterr().out


def test_without_config_dir_a_users_module_is_not_trusted(own, capsys):
    assert main(["evaluate", str(own / "run")]) == 1
    assert "--config-dir" in capsys.readouterr().err


def test_config_dir_does_not_make_the_standard_library_trusted(own, tmp_path, capsys):
    (tmp_path / "os.py").write_text("")
    config = own / "run" / "config.yaml"
    before = config.read_text()
    config.write_text(before.replace("my_modality.Inverted", "os.system"))
    try:
        assert main(["evaluate", str(own / "run"), "--config-dir", str(tmp_path)]) == 1
    finally:
        config.write_text(before)
    assert "not trusted" in capsys.readouterr().err
