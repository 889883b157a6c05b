"""Trainings that end before their time say why, and how to go on."""

from __future__ import annotations

import errno
import io
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
    assert main(["train", "image", *SMALL, f"run.dir={tmp_path / 'run'}"]) == 4
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


def pickled(thing):
    file = io.BytesIO()
    torch.save(thing, file)
    return file.getvalue()


@pytest.mark.parametrize(
    "content, fault",
    [
        (b"half a file", ""),
        (b"", "EOFError"),
        (pickled({"state_dict": {}})[:200], ""),
        (pickled(torch.zeros(3)), "it holds no state_dict"),
        (pickled({"state_dict": 5}), "it holds no state_dict"),
    ],
)
def test_a_damaged_checkpoint_is_one_clear_message(content, fault, image_run, tmp_path, capsys):
    shutil.copytree(image_run, tmp_path / "run")
    for name in ("best.ckpt", "last.ckpt"):
        (tmp_path / "run" / "checkpoints" / name).write_bytes(content)
    for verb in (["evaluate"], ["train", "--resume"]):
        assert main([*verb, str(tmp_path / "run")]) == 1
        message = capsys.readouterr().err
        assert "ckpt is no checkpoint that can be read: " in message and fault in message


def test_resume_takes_no_other_settings(image_run, capsys):
    assert main(["train", "--resume", str(image_run), "trainer.max_epochs=9"]) == 1
    assert "does not take trainer.max_epochs=9" in capsys.readouterr().err


def test_a_file_elsewhere_is_not_taken_for_the_run_folder(tmp_path, monkeypatch, capsys):
    def gone(*_):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/data/elsewhere.png")

    monkeypatch.setattr(Task, "training_step", gone)
    assert main(["train", "image", *SMALL, f"run.dir={tmp_path / 'run'}"]) == 1
    message = capsys.readouterr().err
    assert "/data/elsewhere.png cannot be used (No such file" in message and "cannot be written" not in message


@pytest.mark.parametrize(
    "words", [["trainer.max_steps=3"], ["+trainer.limit_val_batches=0"], ["+trainer.limit_val_batches=0.0"]]
)
def test_without_validation_the_last_weights_are_the_best(words, tmp_path, capsys):
    folder = tmp_path / "run"
    assert main(["train", "image", *SMALL, "trainer.max_epochs=1", *words, f"run.dir={folder}"]) == 0
    assert "those of the last step: nothing was validated" in capsys.readouterr().out
    run = Run.open(folder)
    best, last = run.weights("best"), run.weights("last")
    assert all(torch.equal(best[key], last[key]) for key in last) and "accuracy" in run.read("results.json")["test"]


def test_a_test_can_be_left_for_later(tmp_path, capsys):
    folder = tmp_path / "run"
    words = ["trainer.max_epochs=1", "+trainer.limit_test_batches=0", f"run.dir={folder}"]
    assert main(["train", "image", *SMALL, *words]) == 0
    results = Run.open(folder).read("results.json")
    assert "accuracy" in results["validation"] and "test" not in results
    assert main(["evaluate", str(folder), "--split", "test"]) == 0 and "accuracy" in capsys.readouterr().out


@pytest.mark.parametrize(
    "word, expected",
    [
        ("+trainer.fast_dev_run=true", "+trainer.limit_train_batches=1"),
        ("+trainer.overfit_batches=2", "+trainer.limit_train_batches"),
        ("+trainer.limit_train_batches=0", "trains nothing"),
        ("trainer.max_steps=0", "trains nothing"),
        ("+trainer.limit_test_batches=0.5", "a test is measured whole; 0 leaves it out"),
        ("+trainer.enable_checkpointing=false", "enable_checkpointing"),
    ],
)
def test_a_trainer_that_would_keep_nothing_is_refused_before_it_begins(word, expected, tmp_path, capsys):
    words = [each for each in SMALL if each.split("=")[0] != word.split("=")[0]]
    assert main(["train", "image", *words, word, f"run.dir={tmp_path / 'run'}"]) == 1
    shown = capsys.readouterr()
    assert expected in shown.err and "epoch 1" not in shown.out and not (tmp_path / "run").exists()


def test_a_setting_that_lightning_refuses_late_is_one_clear_message(tmp_path, capsys):
    word = "+trainer.limit_val_batches=0.001"
    assert main(["train", "image", *SMALL, word, f"run.dir={tmp_path / 'run'}"]) == 1
    assert "trainer: You requested to check 0.001" in capsys.readouterr().err


CPU, CUDA = "[enforce fail] DefaultCPUAllocator: can't allocate memory", "CUDA out of memory"


@pytest.mark.parametrize("error", [torch.OutOfMemoryError(CUDA), RuntimeError(CPU), MemoryError()])
@pytest.mark.parametrize("training", [False, True])
def test_memory_that_does_not_suffice_is_one_clear_message(error, training, tmp_path, monkeypatch, capsys):
    evaluate = Classification.evaluate

    def large(task, batch):
        if (task._trainer is not None) is training:
            raise error
        return evaluate(task, batch)

    monkeypatch.setattr(Classification, "evaluate", large)
    assert main(["train", "image", *SMALL, f"run.dir={tmp_path / 'run'}"]) == 1
    message = capsys.readouterr().err
    assert "Out of memory while t" in message and "loader.batch_size" in message and "tokenizer.max_length" in message
    assert (tmp_path / "run").exists() is training  # what was not begun leaves nothing
