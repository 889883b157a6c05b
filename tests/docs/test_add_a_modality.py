"""The guide's two files, saved in a folder outside the repository, are a whole modality: nothing else is touched."""

from __future__ import annotations

import json

import numpy as np
import pytest

from mmattn.cli.main import main
from tests.docs.pages import GUIDE, files, write_files

SMALL = ["data.train=90", "data.test=30", "trainer.max_epochs=1", "backbone.dim=16", "backbone.depth=1"]


@pytest.fixture
def own(tmp_path, monkeypatch):
    write_files(GUIDE, tmp_path)
    monkeypatch.chdir(tmp_path)
    return ["--config-dir", "my_conf"]


def test_it_is_one_short_file_and_one_yaml():
    code, yaml = files(GUIDE).items()
    assert code[0].endswith(".py") and yaml[0].endswith(".yaml")
    assert len(code[1].splitlines()) <= 80


def test_it_keeps_the_contract(own, capsys):
    assert main(["check", "my_experiment", "data.train=30", *own]) == 0
    held = capsys.readouterr().out
    assert "holds: tokens ignore padding and batch mates" in held and "holds: content lines up" in held


def test_it_trains_evaluates_and_predicts(own, tmp_path, capsys):
    assert main(["train", "my_experiment", *SMALL, "run.dir=run", *own]) == 0
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    capsys.readouterr()
    assert main(["evaluate", "run", *own]) == 0
    assert f"accuracy: {results['test']['accuracy']:.4f}" in capsys.readouterr().out
    np.savetxt("record.csv", np.random.default_rng(0).normal(size=(50, 2)), delimiter=",")
    assert main(["predict", "run", "record.csv", "--json", *own]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert set(found["probabilities"]) == {"pendulum", "van_der_pol", "duffing"}
    np.savetxt("wide.csv", np.zeros((50, 3)), delimiter=",")
    assert main(["predict", "run", "wide.csv", *own]) == 1
    assert "wide.csv" in capsys.readouterr().err


def test_hidden_patches_can_be_guessed_and_the_weights_move_on(own):
    hidden = ["task=masked_modelling", "head=content", "run.dir=hidden"]
    assert main(["train", "my_experiment", *SMALL, *hidden, *own]) == 0
    assert main(["train", "my_experiment", *SMALL, "init_from=hidden", "run.dir=tuned", *own]) == 0


@pytest.mark.slow
def test_it_reaches_the_accuracy_that_it_claims(own, tmp_path):
    assert main(["train", "my_experiment", "run.dir=run", *own]) == 0
    assert json.loads((tmp_path / "run" / "results.json").read_text())["test"]["accuracy"] >= 0.92
