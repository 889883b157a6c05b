"""A split's predictions, and which samples are worth a look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mmattn.data.dataset import PreparedDataset

MOST = 10_000
"""Samples of a split that the report looks at."""


@dataclass(frozen=True)
class Predictions:
    """Of targets in order: true and predicted class, the latter's probability. Targets may be samples or tokens."""

    truth: np.ndarray
    guess: np.ndarray
    chance: np.ndarray


@torch.no_grad()
def predictions(task: Any, dataset: PreparedDataset, size: int) -> Predictions | None:
    """Classes that the task predicts for up to `MOST` samples; None for tasks that predict no single class."""
    found: list[tuple[np.ndarray, ...]] = []
    for start in range(0, min(len(dataset), MOST), size):
        stop = min(start + size, len(dataset), MOST)
        batch = task.transfer_batch_to_device(dataset.batch((0, i) for i in range(start, stop)), task.device, 0)
        scores = task.evaluate(batch)
        if scores.prediction is None or scores.target is None or scores.prediction.ndim != scores.target.ndim + 1:
            return None
        chance, guess = scores.prediction.float().softmax(-1).max(-1)
        found.append(tuple(each.cpu().numpy() for each in (scores.target, guess, chance)))
    truth, guess, chance = (np.concatenate(column) for column in zip(*found, strict=True))
    return Predictions(truth, guess, chance)


def spread(count: int, most: int) -> list[int]:
    """Up to `most` of `count` places, evenly apart."""
    return sorted({int(place) for place in np.linspace(0, count - 1, min(most, count))})


def mistakes(found: Predictions, most: int) -> list[int]:
    """Wrong ones, the surest first."""
    wrong = np.flatnonzero(found.truth != found.guess)
    return [int(place) for place in wrong[np.argsort(-found.chance[wrong], kind="stable")][:most]]
