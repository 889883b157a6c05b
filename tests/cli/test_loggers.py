"""Loggers besides metrics.csv write into the run folder, and one that is not installed says so."""

from __future__ import annotations

import sys

from mmattn.cli.main import main
from tests.cli.small import SMALL


def test_tensorboard_writes_into_the_run_folder(tmp_path):
    assert main(["train", "image", *SMALL, "loggers=tensorboard", f"run.dir={tmp_path / 'run'}"]) == 0
    assert list((tmp_path / "run" / "tensorboard").glob("events.out.tfevents.*"))
    assert (tmp_path / "run" / "metrics.csv").is_file()


def test_a_logger_that_is_not_installed_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "wandb", None)
    own = "+loggers.mine={_target_: lightning.pytorch.loggers.WandbLogger, _partial_: true}"
    assert main(["train", "image", *SMALL, own, f"run.dir={tmp_path / 'run'}"]) == 1
    message = capsys.readouterr().err
    assert "loggers.mine" in message and "wandb" in message and "Traceback" not in message
