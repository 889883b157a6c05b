"""A split's predictions, and which samples are worth a look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightning
import numpy as np


@dataclass(frozen=True)
class Predictions:
    """Of targets in order: true and predicted class, the latter's probability. Targets may be samples or tokens."""

    truth: np.ndarray
    guess: np.ndarray
    chance: np.ndarray


class Watch(lightning.Callback):
    """Keeps what a task predicts of a split while that is measured, in `found`, by the split's name.

    It is in the order of the dataset where each sample has one target. Tasks that predict no single class have none.
    """

    def __init__(self) -> None:
        self.found: dict[str, Predictions] = {}
        self._parts: list[tuple[np.ndarray, ...]] = []

    def on_validation_batch_end(self, trainer: Any, task: Any, scores: Any, *_: Any) -> None:  # type: ignore[override]
        if scores is None or task.classes is None or scores.prediction is None or scores.target is None:
            return
        if scores.prediction.ndim == scores.target.ndim + 1:
            chance, guess = scores.prediction.float().softmax(-1).max(-1)
            self._parts.append(tuple(each.cpu().numpy() for each in (scores.target, guess, chance)))

    on_test_batch_end = on_validation_batch_end  # type: ignore[assignment]

    def on_validation_end(self, trainer: lightning.Trainer, task: Any) -> None:
        self._keep("validation", trainer.val_dataloaders)

    def on_test_end(self, trainer: lightning.Trainer, task: Any) -> None:
        self._keep("test", trainer.test_dataloaders)

    def _keep(self, split: str, loader: Any) -> None:
        if self._parts:
            columns = [np.concatenate(column) for column in zip(*self._parts, strict=True)]
            places = np.argsort([index for batch in loader.sampler for _, index in batch])  # a loader sorts by length
            if len(places) == len(columns[0]):
                columns = [column[places] for column in columns]
            self.found[split] = Predictions(*columns)
        self._parts = []


def spread(count: int, most: int) -> list[int]:
    """Up to `most` of `count` places, evenly apart."""
    return sorted({int(place) for place in np.linspace(0, count - 1, min(most, count))})


def mistakes(found: Predictions, most: int) -> list[int]:
    """Wrong ones, the surest first."""
    wrong = np.flatnonzero(found.truth != found.guess)
    return [int(place) for place in wrong[np.argsort(-found.chance[wrong], kind="stable")][:most]]
