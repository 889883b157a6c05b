"""A run folder: what is kept, and what it says when something is missing or does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from torch import nn

from mmattn import __version__
from mmattn.errors import RunError
from mmattn.run import FORMAT, Run, load_weights


def config(folder=None, **more):
    return OmegaConf.create({"name": "small", "run": {"dir": None if folder is None else str(folder)}, **more})


@pytest.fixture
def run(tmp_path):
    return Run.create(config(tmp_path / "run", width=3, twice="${width}"))


def test_a_new_run_keeps_its_config_filled_in(run):
    again = Run.open(run.folder)
    assert again.config.twice == 3 and "${" not in (run.folder / "config.yaml").read_text()


def test_an_unnamed_run_gets_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = {Run.reserve(config()) for _ in range(3)}
    assert len(folders) == 3 and {folder.parent for folder in folders} == {Path("runs/small")}
    assert all(folder.is_dir() and not list(folder.iterdir()) for folder in folders)


def test_a_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Run.reserve(config("~/run")) == tmp_path / "run"
    assert Run.open(Run.create(config("~/run")).folder).folder == Run.open("~/run").folder


def test_no_run_is_written_over_another(run):
    for again in (Run.reserve, Run.create, lambda each: Run.create(each, run.folder)):
        with pytest.raises(RunError, match="already holds a run; choose another run.dir"):
            again(config(run.folder))


def test_a_folder_that_cannot_be_written_is_named(tmp_path, run):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"file/run cannot be written .*; choose another run.dir"):
        Run.reserve(config(tmp_path / "file" / "run"))
    with pytest.raises(RunError, match=r"nowhere/a.json cannot be written"):
        run.write("nowhere/a.json", {})


def test_what_is_no_run_folder_is_named(tmp_path, run):
    with pytest.raises(RunError, match="is no run folder: it has no config.yaml"):
        Run.open(tmp_path)
    with pytest.raises(RunError, match="results.json cannot be read: "):
        run.read("results.json")
    (run.folder / "results.json").write_text("{")
    with pytest.raises(RunError, match="results.json cannot be read: "):
        run.read("results.json")


def test_the_state_comes_back_with_where_it_came_from(run):
    run.write_origin({"tokenizer": {"words": ["naïve", "日本"]}, "classes": None}, {"command": "mmattn train x"})
    assert run.state() == {"format": FORMAT, "tokenizer": {"words": ["naïve", "日本"]}, "classes": None}
    origin = run.read("versions.json")
    assert origin["mmattn"] == __version__ and origin["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert origin["command"] == "mmattn train x"


@pytest.mark.parametrize("state", [{}, {"format": FORMAT + 1}])
def test_a_state_of_another_format_is_refused(run, state):
    run.write("state.json", state)
    with pytest.raises(RunError, match=f"has format {state.get('format')}; this version reads format {FORMAT}"):
        run.state()


def save(run, name, weights):
    run.checkpoints.mkdir(exist_ok=True)
    torch.save({"state_dict": weights}, run.checkpoints / f"{name}.ckpt")


def test_the_best_weights_are_those_that_validation_chose_or_else_the_last(run):
    with pytest.raises(RunError, match="took no step and left no weights"):
        run.settle_best()
    with pytest.raises(RunError, match="has no checkpoint best.ckpt; did its training finish an epoch"):
        run.weights()
    save(run, "last", {"a": torch.ones(1)})
    assert run.settle_best() is False and run.weights("best")["a"] == 1
    save(run, "best", {"a": torch.zeros(1)})
    assert run.settle_best() is True and run.weights()["a"] == 0 and run.weights("last")["a"] == 1


@pytest.mark.parametrize("content", [b"", b"half a file", json.dumps({}).encode()])
def test_a_checkpoint_that_cannot_be_read_is_named(run, content):
    save(run, "best", {})
    (run.checkpoints / "best.ckpt").write_bytes(content)
    with pytest.raises(RunError, match="best.ckpt is no checkpoint that can be read"):
        run.weights()


def test_a_checkpoint_without_weights_or_with_code_is_refused(run):
    run.checkpoints.mkdir()
    for content in ({"epoch": 1}, {"state_dict": nn.Linear(1, 1)}):
        torch.save(content, run.checkpoints / "best.ckpt")
        with pytest.raises(RunError, match="best.ckpt is no checkpoint that can be read"):
            run.weights()


def test_weights_that_fit_are_loaded():
    source, target = nn.Linear(2, 3), nn.Linear(2, 3)
    load_weights(target, source.state_dict(), "x")
    assert torch.equal(target.weight, source.weight) and torch.equal(target.bias, source.bias)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"weight": torch.zeros(3, 2)}, "of x does not fit this model: bias is missing."),
        ({"weight": torch.zeros(3, 2), "bias": torch.zeros(3), "scale": 1}, "scale is unknown."),
        ({"weight": torch.zeros(3, 4), "bias": torch.zeros(3)}, "weight is (3, 4), here (3, 2)."),
        ({"a": 1, "b": 1, "c": 1}, "weight is missing; bias is missing; a is unknown; and 2 more."),
    ],
)
def test_weights_that_do_not_fit_are_named_and_change_nothing(weights, message):
    module = nn.Linear(2, 3)
    before = module.weight.clone()
    with pytest.raises(RunError) as caught:
        load_weights(module, weights, "x")
    assert str(caught.value).endswith(message) and torch.equal(module.weight, before)
