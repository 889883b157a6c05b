"""Text to be modelled: the language reference that the running Python ships, letter by letter."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from mmattn.data.python_docs import PythonDocs

BREAK = "\n\n\n"
"""Between two documents."""


class Prose:
    """Letters of the training and the validation documents as ids; letters that training never shows are one id."""

    def __init__(self) -> None:
        self.source: Any = PythonDocs()

    @cached_property
    def letters(self) -> dict[str, int]:
        return {letter: number + 1 for number, letter in enumerate(sorted(set(self._text("train"))))}

    @property
    def symbols(self) -> int:
        return len(self.letters) + 1

    @cached_property
    def train(self) -> Tensor:
        return self._ids("train")

    @cached_property
    def validation(self) -> Tensor:
        return self._ids("validation")

    def draw(self, generator: Generator, rows: int, length: int) -> tuple[Tensor, Tensor]:
        """Letters (rows, length) from anywhere in the training text, and the one after each."""
        start = torch.randint(len(self.train) - length, (rows, 1), generator=generator)
        window = self.train[start + torch.arange(length + 1)]
        return window[:, :-1], window[:, 1:]

    def windows(self, length: int, most: int) -> tuple[Tensor, Tensor]:
        """At most `most` letters of the validation text in rows that do not overlap, and the one after each."""
        rows = min(len(self.validation) - 1, most) // length
        ids = self.validation[: rows * length + 1]
        return ids[:-1].view(rows, length), ids[1:].view(rows, length)

    def _text(self, split: str) -> str:
        return BREAK.join(sample.value for sample in self.source.samples(split))

    def _ids(self, split: str) -> Tensor:
        return torch.tensor([self.letters.get(letter, 0) for letter in self._text(split)])


@torch.no_grad()
def loss_by_place(model: nn.Module, ids: Tensor, targets: Tensor, tokens: int = 8192) -> Tensor:
    """Mean nats a letter at each place (length,) of rows, in batches of so many tokens."""
    rows = max(tokens // ids.shape[1], 1)
    sums = torch.zeros(ids.shape[1])
    for x, y in zip(ids.split(rows), targets.split(rows), strict=True):
        sums += cross_entropy(model(x).mT, y, reduction="none").sum(0)
    return sums / len(ids)
