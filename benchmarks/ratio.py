"""Two ways to one result, timed in turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mmattn.benchmarks.timing import paired, quartiles
from mmattn.errors import MmattnError


@dataclass(frozen=True)
class Ratio:
    """ratio: ours ÷ the other's seconds, the median of pairs, with quartiles; seconds are medians.

    identical: whether the results are the same bit for bit; largest_difference: of them, absolute.
    """

    ours: str
    other: str
    ratio_low: float
    ratio: float
    ratio_high: float
    ours_seconds: float
    other_seconds: float
    turns: int
    identical: bool
    largest_difference: float

    def line(self) -> str:
        """For a terminal."""
        same = "bit-identical" if self.identical else f"results differ by up to {self.largest_difference:.2g}"
        return (
            f"{self.ours} ÷ {self.other}: {self.ratio:.3f} ({self.ratio_low:.3f}–{self.ratio_high:.3f}, {self.turns} "
            f"pairs; medians {self.ours_seconds:.3f} s and {self.other_seconds:.3f} s); {same}"
        )


def ratio(
    ours: str, one: Callable[[], Tensor], other: str, two: Callable[[], Tensor], turns: int, tolerance: float = 0.0
) -> Ratio:
    """Compare the results of both, which also warms them up, then time them.

    Raises MmattnError where results differ by more than `tolerance` (NaN does).
    """
    return timed(ours, one, other, two, turns, one(), two(), tolerance)


def timed(
    ours: str,
    one: Callable[[], Tensor],
    other: str,
    two: Callable[[], Tensor],
    turns: int,
    first: Tensor,
    second: Tensor,
    tolerance: float,
) -> Ratio:
    """As `ratio`, of sides that have been called: `first` and `second` are what of their results must be the same."""
    difference = float((first - second).abs().max())
    if not difference <= tolerance:
        raise MmattnError(f"{ours} and {other} do not compute the same: they differ by up to {difference:.2g}.")
    times = paired(one, two, turns)
    low, median, high = quartiles(times.ratios)
    mine, theirs = (quartiles(each)[1] for each in times)
    return Ratio(ours, other, low, median, high, mine, theirs, turns, torch.equal(first, second), difference)
