"""Progress, time left, and a run's books, without a training: a clock and a trainer of paper."""

from __future__ import annotations

import logging
import warnings
from types import SimpleNamespace

import pytest
import torch

from mmattn.cli import counting, progress
from mmattn.cli.counting import Books, EpochSeed
from mmattn.cli.memory import enough_memory
from mmattn.cli.progress import Lines, display, epoch, metrics
from mmattn.cli.quiet import quiet
from mmattn.errors import TrainingError


def trainer(**facts):
    given = {"global_step": 0, "current_epoch": 0, "max_epochs": 4, "estimated_stepping_batches": 100,
             "callback_metrics": {}, "sanity_checking": False}  # fmt: skip
    return SimpleNamespace(**{**given, **facts})


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when it is told to."""
    now = SimpleNamespace(time=1000.0)
    for module in (progress, counting):
        monkeypatch.setattr(module.time, "monotonic", lambda: now.time)
    return now


def test_speed_leaves_validation_out_and_time_left_does_not(clock):
    shown, at, task = Lines(), trainer(global_step=20), SimpleNamespace(tokens_seen=500)
    shown.on_train_start(at, task)
    assert shown.left(at) == ""
    clock.time += 10
    shown.on_validation_start(at, task)
    clock.time += 10
    shown.on_validation_end(at, task)
    at.global_step, task.tokens_seen = 30, 30_500
    assert shown.speed(task) == "3,000 tokens/s"
    assert shown.left(at) == "2 min left"  # 70 more steps at 2 seconds each
    at.global_step = 100
    assert shown.left(at) == ""


def test_a_training_without_end_has_no_time_left(clock):
    shown, at = Lines(), trainer(estimated_stepping_batches=float("inf"), max_epochs=-1)
    shown.on_train_start(at, SimpleNamespace(tokens_seen=0))
    clock.time, at.global_step = clock.time + 5, 50
    assert shown.left(at) == "" and epoch(at) == "1"


def test_an_epochs_line_says_what_is_known(clock, capsys):
    shown, task = Lines(), SimpleNamespace(tokens_seen=0)
    at = trainer(callback_metrics={"train/loss": torch.tensor(0.5), "validation/accuracy": torch.tensor(0.25)})
    shown.on_train_start(at, task)
    clock.time, at.global_step, at.current_epoch, task.tokens_seen = clock.time + 10, 50, 1, 1000
    shown.on_train_epoch_end(at, task)
    said = "epoch 2/4   loss 0.5000   validation accuracy 0.2500   100 tokens/s   10 s left"
    assert capsys.readouterr().out == said + "\n"
    at.callback_metrics, at.global_step = {}, 100
    shown.on_train_epoch_end(at, task)
    assert capsys.readouterr().out == "epoch 2/4   100 tokens/s\n"


def test_metrics_of_validation_alone_are_shown():
    known = {"train/loss": 1.0, "validation/loss": 0.5, "validation/f1": 1 / 3}
    assert metrics(trainer(callback_metrics=known)) == "validation loss 0.5000, f1 0.3333"


def test_lines_are_for_what_is_no_terminal():
    assert type(display()) is Lines


def test_books_add_the_time_and_tokens_before_a_resume(clock):
    books, task, checkpoint = Books(), SimpleNamespace(tokens_seen=7), {}
    clock.time += 100  # reading the data is no training
    books.on_train_start(trainer(), task)
    clock.time += 5
    books.on_save_checkpoint(trainer(), task, checkpoint)
    assert checkpoint["books"] == {"tokens": 7, "seconds": 5}
    later, resumed = Books(), SimpleNamespace(tokens_seen=0)
    later.on_load_checkpoint(trainer(), resumed, checkpoint)
    later.on_train_start(trainer(), resumed)
    clock.time += 2
    assert resumed.tokens_seen == 7 and later.seconds == 7
    later.on_load_checkpoint(trainer(), resumed, {})  # of a run that kept none
    assert resumed.tokens_seen == 0 and later.earlier == 0


def drawn(seed, at, batch):
    torch.manual_seed(99)
    EpochSeed(seed).on_train_batch_start(trainer(current_epoch=at), None, None, batch)
    return float(torch.rand(()))


def test_an_epochs_dropout_depends_on_seed_and_epoch_alone():
    assert drawn(0, 3, 0) == drawn(0, 3, 0)
    assert len({drawn(seed, at, 0) for seed in range(3) for at in range(3)}) == 9
    assert drawn(0, 3, 1) == drawn(5, 8, 2)  # later batches go on from where the first ended


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("CUDA error: out of memory"), torch.OutOfMemoryError("x")]
)
def test_memory_that_does_not_suffice_is_named_with_the_remedy(error):
    with (
        pytest.raises(TrainingError, match="^Out of memory while trying: buy more.$") as caught,
        enough_memory("trying", "buy more"),
    ):
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [RuntimeError("shapes do not fit"), ValueError("out of memory"), KeyboardInterrupt()])
def test_other_errors_pass(error):
    with pytest.raises(type(error)) as caught, enough_memory("trying", "buy more"):
        raise error
    assert caught.value is error


def test_warnings_of_others_are_still_seen():
    levels = {name: logging.getLogger(name).level for name in ("lightning.pytorch", "lightning.fabric")}
    try:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            quiet()
            warnings.warn("Checkpoint directory x exists and is not empty.", stacklevel=1)
            warnings.warn("your disk is nearly full", stacklevel=1)
        assert [str(each.message) for each in seen] == ["your disk is nearly full"]
        assert not logging.getLogger("lightning.pytorch").isEnabledFor(logging.INFO)
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
