"""Callbacks that keep a run's books: seeds of epochs, tokens and seconds across a resume, curves of single batches."""

from __future__ import annotations

import time
from typing import Any

import lightning
import torch


class EpochSeed(lightning.Callback):
    """Seeds dropout and masking anew each epoch, so that a resumed run draws what the uninterrupted one would."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if batch_idx == 0:  # Lightning does not announce the first epoch of a resumed run
            torch.manual_seed(hash((self.seed, trainer.current_epoch)) % 2**63)


class Books(lightning.Callback):
    """Tokens and seconds of the whole training, kept in its checkpoints; loss and learning rate against steps.

    `seconds` is the time of fitting, validation included; after a resume, that of the epochs kept is added.
    """

    measured = frozenset({"train/batch_loss", "train/learning_rate"})

    def __init__(self) -> None:
        self.earlier = 0.0
        self.began = time.monotonic()

    @property
    def seconds(self) -> float:
        return self.earlier + time.monotonic() - self.began

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        self.began = time.monotonic()

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        # At the batch's end the schedule has moved on to the next step's.
        self.rate = max(group["lr"] for optimizer in trainer.optimizers for group in optimizer.param_groups)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        pl_module.log("train/batch_loss", outputs["loss"], on_step=True, on_epoch=False, batch_size=1)
        pl_module.log("train/learning_rate", self.rate, on_step=True, on_epoch=False, batch_size=1)

    def on_save_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: dict[str, Any]) -> None:
        checkpoint["books"] = {"tokens": pl_module.tokens_seen, "seconds": self.seconds}

    def on_load_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: dict[str, Any]) -> None:
        books = checkpoint.get("books", {"tokens": 0, "seconds": 0.0})
        pl_module.tokens_seen, self.earlier = books["tokens"], books["seconds"]
