"""What a task shows of single samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from mmattn.data.dataset import PreparedDataset, part
from mmattn.tokenizer import Prepared

Mark = Literal["", "right", "wrong", "new"]
Marked = Sequence[tuple[str, Mark]]
"""Text in pieces: as it was, guessed right, guessed wrong, or generated."""


@dataclass(frozen=True)
class Card:
    """One sample.

    title: its name.
    parts: captions with a picture (uint8, height × width [× 3]), a text, or marked text.
    right: whether the prediction was; None where that means nothing.
    chances: labels with probabilities, the likeliest first.
    truth: the true label.
    """

    title: str
    parts: Sequence[tuple[str, np.ndarray | str | Marked]]
    right: bool | None = None
    chances: Sequence[tuple[str, float]] = field(default=())
    truth: str | None = None


def item(dataset: PreparedDataset, index: int) -> Prepared:
    """What the tokenizer made of item `index`: a whole sample, or the piece of a long one."""
    place = dataset.items[index]
    return part(dataset.tokenizer, dataset.prepared[place.sample], place.start, place.stop)


def title(dataset: PreparedDataset, index: int) -> str:
    """The name of item `index`'s sample."""
    return dataset.names[dataset.items[index].sample]
