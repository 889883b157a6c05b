"""Times of two sides that take turns, so that whatever else the machine does meets both."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch


class Paired(NamedTuple):
    """Seconds of each turn of ours and of the other."""

    ours: list[float]
    other: list[float]

    @property
    def ratios(self) -> list[float]:
        """Ours ÷ the other's seconds, pair by pair: below 1, ours is faster."""
        return [ours / other for ours, other in zip(self.ours, self.other, strict=True)]


def paired(ours: Callable[[], Any], other: Callable[[], Any], turns: int) -> Paired:
    """ours, other, ours, other, … in this process; both have been called before."""
    times = Paired([], [])
    with no_garbage_collection():
        for _ in range(turns):
            times.ours.append(seconds(ours))
            times.other.append(seconds(other))
    return times


def seconds(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The lower quartile, the median, the upper quartile."""
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return low, median, high


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def pinned(threads: int | None) -> Iterator[int]:
    """So many threads for everything inside; None: as many as torch takes by itself. Gives their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)
