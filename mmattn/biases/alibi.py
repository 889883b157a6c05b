"""Scores fall with distance, by a slope a head (https://arxiv.org/abs/2108.12409)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mmattn.biases.bias import Added
from mmattn.patterns import Facts
from mmattn.patterns.checks import at_least


class ALiBi(Added):
    """score − slope(head) · |order(query) − order(key)|; slopes 2^(−8/heads), 2^(−16/heads), … as in the paper."""

    by_distance = True
    slopes: Tensor

    def __init__(self, heads: int) -> None:
        super().__init__()
        at_least(1, "bias ALiBi", heads=heads)
        self.heads = heads
        self.register_buffer("slopes", torch.tensor(_slopes(heads)), persistent=False)

    def values(self, head: Tensor, query: Facts, key: Facts) -> Tensor:
        return -self.slopes[head] * (query.order - key.order).abs()


def _slopes(heads: int) -> list[float]:
    """A geometric series; where heads is no power of two, every second of a finer one follows, as the authors do."""
    power = 2 ** int(math.log2(heads))
    series = [2 ** (-8 * (n + 1) / power) for n in range(power)]
    finer = [2 ** (-8 * (n + 1) / (2 * power)) for n in range(0, 2 * (heads - power), 2)]
    return series + finer
