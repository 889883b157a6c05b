"""`mmattn bench attention --scale`: how time and memory grow with the length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from mmattn.benchmarks.apart import apart
from mmattn.benchmarks.peers import OURS
from mmattn.benchmarks.timing import quartiles

SCALED = ("window_256", "global_16")
LENGTHS = tuple(2**power for power in range(11, 18))


class Point(NamedTuple):
    """Median seconds of forward and backward, and peak bytes over the inputs, of one case at one length."""

    case: str
    length: int
    seconds: float
    peak_bytes: int


def points(cases: Sequence[str], lengths: Sequence[int], turns: int, threads: int) -> Iterator[Point]:
    """Each measured in a process of its own. Raises MmattnError where one fails."""
    for case in cases:
        for length in lengths:
            found = apart(case, length, OURS, threads, turns)
            yield Point(case, length, quartiles(found.seconds)[1], found.peak_bytes)


class Growth(NamedTuple):
    """Exponents of time and of memory against the length: 1 is linear, 2 is quadratic."""

    case: str
    time_exponent: float
    memory_exponent: float


def growths(found: Sequence[Point]) -> list[Growth]:
    """For each case with two lengths or more."""
    cases = {each.case: [point for point in found if point.case == each.case] for each in found}
    return [
        Growth(
            case,
            exponent([each.length for each in own], [each.seconds for each in own]),
            exponent([each.length for each in own], [each.peak_bytes for each in own]),
        )
        for case, own in cases.items()
        if len(own) > 1
    ]


def exponent(lengths: Sequence[float], values: Sequence[float]) -> float:
    """b of values ≈ a · lengthsᵇ, by least squares on logarithms."""
    return float(np.polyfit(np.log(lengths), np.log(np.maximum(values, 1e-9)), 1)[0])
