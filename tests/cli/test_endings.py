"""Trainings that end before their time say why, and how to go on."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import replace

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from mmattn.cli.main import main
from mmattn.run import Run
from mmattn.tasks.base import Task
from mmattn.tasks.classification import Classification
from tests.cli.small import SMALL


def stop_in_epoch(number, monkeypatch):
    """Make the training step of that epoch behave as after Ctrl-C."""
    step = Task.training_step

    def stopping(task, batch, index):
        if task.current_epoch == number:
            raise KeyboardInterrupt
        return step(task, batch, index)

    monkeypatch.setattr(Task, "training_step", stopping)


def test_ctrl_c_keeps_the_last_whole_epoch_and_says_how_to_go_on(image_run, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "run"
    with monkeypatch.context() as patched:
        stop_in_epoch(1, patched)
        assert main(["train", "image", *SMALL, f"run.dir={folder}"]) == 130
    assert f"mmattn train --resume {folder}" in capsys.readouterr().err
    assert not (folder / "results.json").exists()
    assert main(["train", "--resume", str(folder)]) == 0
    whole, resumed = (Run.open(each).weights("last") for each in (image_run, folder))
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


def test_ctrl_c_in_the_first_epoch_says_that_there_is_nothing_to_resume(tmp_path, monkeypatch, capsys):
    stop_in_epoch(0, monkeypatch)
    assert main(["train", "image", *SMALL, f"run.dir={tmp_path / 'run'}"]) == 130
    assert "No epoch was finished" in capsys.readouterr().err
    assert main(["train", "--resume", str(tmp_path / "run")]) == 1
    assert "start it anew" in capsys.readouterr().err


def test_ctrl_c_before_the_training_is_no_traceback(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mmattn.cli.main._run", interrupted)
    assert main(["train", "image"]) == 130
    assert "Stopped" in capsys.readouterr().err


def test_a_loss_that_is_not_finite_names_step_batch_and_run(tmp_path, monkeypatch, capsys):
    evaluate = Classification.evaluate

    def broken(task, batch):
        scores = evaluate(task, batch)
        running = task._trainer is not None and task.training and task.global_step == 3
        return replace(scores, loss=scores.loss * float("nan")) if running else scores

    monkeypatch.setattr(Classification, "evaluate", broken)
    assert main(["train", "image", *SMALL, f"run.dir={tmp_path / 'run'}"]) == 1
    message = capsys.readouterr().err
    assert "nan at step 3" in message and "digits[" in message and str(tmp_path / "run") in message


def test_a_full_disk_is_one_clear_message(tmp_path, monkeypatch, capsys):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(ModelCheckpoint, "_save_checkpoint", full)
    assert main(["train", "image", *SMALL, f"run.dir={tmp_path / 'run'}"]) == 1
    message = capsys.readouterr().err
    assert "No space left on device" in message and str(tmp_path / "run") in message


@pytest.mark.parametrize("words", [["init_parts=[backbone]"], []])
def test_weights_that_do_not_fit_are_named_briefly(words, image_run, tmp_path, capsys):
    change = [*SMALL, "backbone.dim=48", f"init_from={image_run}", *words, f"run.dir={tmp_path / 'run'}"]
    assert main(["train", "image", *change]) == 1
    message = capsys.readouterr().err
    assert ", here (" in message and " more." in message and len(message) < 600
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_that_does_not_fit_its_config_is_not_resumed(image_run, tmp_path, capsys):
    shutil.copytree(image_run, tmp_path / "run")
    path = tmp_path / "run" / "config.yaml"
    path.write_text(path.read_text().replace("depth: 1", "depth: 2"))
    assert main(["train", "--resume", str(tmp_path / "run")]) == 1
    message = capsys.readouterr().err
    assert "is missing" in message and len(message) < 600


def test_a_damaged_checkpoint_is_one_clear_message(image_run, tmp_path, capsys):
    shutil.copytree(image_run, tmp_path / "run")
    (tmp_path / "run" / "checkpoints" / "best.ckpt").write_bytes(b"half a file")
    assert main(["evaluate", str(tmp_path / "run")]) == 1
    assert "best.ckpt is no checkpoint that can be read" in capsys.readouterr().err


def test_resume_takes_no_other_settings(image_run, capsys):
    assert main(["train", "--resume", str(image_run), "trainer.max_epochs=9"]) == 1
    assert "does not take trainer.max_epochs=9" in capsys.readouterr().err
