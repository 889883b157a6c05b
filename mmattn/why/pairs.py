"""Texts and what shall be made of them: strings to be reversed, and dates to be written as ISO 8601 has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Generator

from mmattn.errors import ConfigError
from mmattn.limits import wholes

Pair = tuple[str, str]


class Pairs(Protocol):
    """Pairs of a text and what is made of it."""

    @property
    def letters(self) -> str:
        """Every letter of either side."""

    def draw(self, generator: Generator, rows: int) -> Sequence[Pair]:
        """A batch for training."""

    def tests(self, rows: int) -> Mapping[int, Sequence[Pair]]:
        """By the length of the text (or what it is at most): pairs that no training sees, or hardly any of."""


class Reversal:
    """Random letters, and the same from the last to the first. Training sees a tenth of the strings of four letters and
    next to none of longer ones.

    Args:
        lengths: shortest and longest in training. tested: lengths that are tested.
    """

    letters = "abcdefghijklmnop"

    def __init__(self, lengths: tuple[int, int], tested: Sequence[int]) -> None:
        if len(found := wholes("comparison.task.lengths", lengths, 1, 2)) > 2:
            raise ConfigError(f"comparison.task.lengths={list(lengths)} must hold two: the shortest and the longest.")
        self.shortest, self.longest = found
        self.tested = wholes("comparison.task.tested", tested, 1, 2)

    def draw(self, generator: Generator, rows: int) -> list[Pair]:
        """Rows of one length, any of those in training."""
        length = int(torch.randint(self.shortest, self.longest + 1, (), generator=generator))
        return self._of(length, generator, rows)

    def tests(self, rows: int) -> dict[int, list[Pair]]:
        generator = Generator().manual_seed(0)
        return {length: self._of(length, generator, rows) for length in self.tested}

    def _of(self, length: int, generator: Generator, rows: int) -> list[Pair]:
        drawn = torch.randint(len(self.letters), (rows, length), generator=generator).tolist()
        texts = ["".join(self.letters[each] for each in row) for row in drawn]
        return [(text, text[::-1]) for text in texts]
