"""Dates as people write them, to be written as ISO 8601 has them: days of the test are in no training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Generator

from mmattn.data.dates import Dates
from mmattn.errors import ConfigError
from mmattn.limits import wholes
from mmattn.why.pairs import Pair

PARTS = 16
"""A batch is one of so many parts, by length, of what is drawn: of rows of any length, half would be padding."""


class DatePairs:
    """Pairs of `mmattn.data.dates.Dates`; letters that its training lacks stand for nothing.

    Args:
        samples: training texts to choose from.
        upto: ends of the ranges of length that are tested apart.
    """

    def __init__(self, samples: int, upto: Sequence[int]) -> None:
        self.source: Any = Dates(train=samples, validation=0, test=samples // 4)
        self.upto = wholes("comparison.task.upto", upto, 1, 2)
        if len(self.tests(1)) < 2:
            raise ConfigError(f"comparison.task.upto={list(upto)}: no dates are so short; say [12, 16, 20, 40].")

    @cached_property
    def train(self) -> list[Pair]:
        return [_pair(each.value) for each in self.source.samples("train")]

    @cached_property
    def letters(self) -> str:
        return "".join(sorted({letter for pair in self.train for letter in "".join(pair)}))

    def draw(self, generator: Generator, rows: int) -> list[Pair]:
        """Rows of like length: of `PARTS` times as many, in the order of their lengths, one part at random. Any date is
        as likely as any other."""
        places = torch.randint(len(self.train), (PARTS * rows,), generator=generator).tolist()
        by_length = sorted((self.train[place] for place in places), key=lambda pair: len(pair[0]))
        first = rows * int(torch.randint(PARTS, (), generator=generator))
        return by_length[first : first + rows]

    def tests(self, rows: int) -> dict[int, list[Pair]]:
        """By the end of a range: up to `rows` texts of the test that are longer than the one before."""
        found: dict[int, list[Pair]] = {end: [] for end in self.upto}
        for sample in self.source.samples("test"):
            text, target = _pair(sample.value)
            end = next((end for end in self.upto if len(text) <= end), None)
            known = all(letter in self.letters for letter in text)
            if end is not None and known and len(found[end]) < rows:
                found[end].append((text, target))
        return {end: pairs for end, pairs in found.items() if pairs}


def _pair(value: Any) -> Pair:
    return value["source"], value["target"]
