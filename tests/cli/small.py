"""Settings that make a training last a second, and one that stops midway."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mmattn.cli.main import main
from mmattn.errors import TrainingError
from mmattn.tasks.base import Task

SMALL = [
    "backbone.dim=32", "backbone.depth=1", "trainer.max_epochs=2", "trainer.check_val_every_n_epoch=1",
    "+trainer.limit_train_batches=8",
]  # fmt: skip


def stop_and_resume(words: Sequence[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run of the image experiment that fails in its second epoch and is then resumed to its end."""
    step = Task.training_step

    def stop_in_the_second_epoch(task, batch, index):
        if task.current_epoch == 1:
            raise TrainingError("stopped by the test")
        return step(task, batch, index)

    with monkeypatch.context() as patched:
        patched.setattr(Task, "training_step", stop_in_the_second_epoch)
        assert main(["train", "image", *words, f"run.dir={folder}"]) == 1
    assert main(["train", "--resume", str(folder)]) == 0


SMALL_DRAWING = [
    "backbone.dim=32", "backbone.depth=3", "backbone.layers=[grid,cross,self]",
    "data.train=64", "data.validation=8", "data.test=8", "loader.batch_size=16",
    "trainer.max_epochs=1",
    "task.judge.prompts=2",
    "task.judge.steps=1",
    "callbacks.pictures.steps=1",
]  # fmt: skip
