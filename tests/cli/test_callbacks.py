"""Callbacks by config, above all averaged weights."""

from __future__ import annotations

import json

import pytest
import torch

from mmattn.cli.main import main
from mmattn.cli.use import evaluate
from mmattn.run import Run
from tests.cli.small import SMALL, stop_and_resume

EMA = [*SMALL, "callbacks=ema", "callbacks.ema.decay=0.8"]


@pytest.fixture(scope="module")
def averaged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ema") / "run"
    assert main(["train", "image", *EMA, f"run.dir={folder}"]) == 0
    return folder


def test_checkpoints_hold_the_average_that_the_weights_follow(averaged, image_run):
    for name in ("best", "last"):
        stored = torch.load(averaged / "checkpoints" / f"{name}.ckpt", weights_only=True)
        average, current = stored["state_dict"], stored["current_model_state"]
        assert any(not torch.equal(average[key], current[key]) for key in average)
    plain = Run.open(image_run).weights("last")  # the same seed: the weights that are averaged are the same
    assert all(torch.equal(plain[key], current[key]) for key in plain)


def test_validation_and_test_measure_the_average_of_the_best_epoch(averaged):
    results = json.loads((averaged / "results.json").read_text())
    for split in ("validation", "test"):
        assert evaluate(str(averaged), split) == pytest.approx(results[split], abs=1e-6)
    lines = (averaged / "metrics.csv").read_text().splitlines()
    column = lines[0].split(",").index("validation/accuracy")
    logged = [float(line.split(",")[column]) for line in lines[1:] if line.split(",")[column]]
    assert max(logged) == pytest.approx(results["validation"]["accuracy"], abs=1e-6)


def test_resuming_averaged_weights_is_exact(averaged, tmp_path, monkeypatch):
    stop_and_resume(EMA, tmp_path / "run", monkeypatch)
    whole, resumed = (
        torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True) for folder in (averaged, tmp_path / "run")
    )
    for part in ("state_dict", "current_model_state"):
        assert all(torch.equal(whole[part][key], resumed[part][key]) for key in whole[part])


STOPPING = "+callbacks.stop={_target_: lightning.pytorch.callbacks.EarlyStopping, monitor: validation/loss, "


@pytest.mark.parametrize(
    "word, expected",
    [
        ("callbacks.ema.decai=0.9", "Did you mean 'callbacks.ema.decay'?"),
        (f"{STOPPING}patienc: 1}}", "callbacks.stop.patienc"),
        ("callbacks=em", "Did you mean 'ema'?"),
    ],
)
def test_a_misspelt_callback_is_one_clear_message(word, expected, capsys, tmp_path):
    assert main(["train", "image", *SMALL, "callbacks=ema", word, f"run.dir={tmp_path / 'run'}"]) == 1
    assert expected in capsys.readouterr().err


def test_a_callback_from_the_command_line_takes_part(tmp_path):
    words = ["trainer.max_epochs=9", f"{STOPPING}patience: 1, min_delta: 100}}", f"run.dir={tmp_path / 'run'}"]
    assert main(["train", "image", *SMALL, *words]) == 0
    assert json.loads((tmp_path / "run" / "results.json").read_text())["steps"] == 16  # stopped after two epochs
