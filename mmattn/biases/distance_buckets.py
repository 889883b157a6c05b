"""A learned score for each bucket of distances (T5, https://arxiv.org/abs/1910.10683)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mmattn.biases.bias import Added
from mmattn.errors import ConfigError
from mmattn.patterns import Facts
from mmattn.patterns.checks import at_least


class DistanceBuckets(Added):
    """score + table[bucket(order(key) − order(query)), head].

    Small distances have a bucket each, larger ones share buckets that grow logarithmically up to `furthest`, and all
    that is further shares the last. `causal`: keys do not come later; else half of the buckets are for those that do.
    """

    by_distance = True

    def __init__(self, heads: int, *, buckets: int = 32, furthest: int = 128, causal: bool = False) -> None:
        super().__init__()
        at_least(1, "bias DistanceBuckets", heads=heads)
        at_least(2 if causal else 4, "bias DistanceBuckets", buckets=buckets)
        if not causal and buckets % 2:
            raise ConfigError(f"bias DistanceBuckets: buckets={buckets} must be even, half for each direction.")
        self.heads, self.causal, self.furthest = heads, causal, furthest
        self.near = (buckets if causal else buckets // 2) // 2
        at_least(self.near + 1, "bias DistanceBuckets", furthest=furthest)
        self.table = nn.Parameter(torch.randn(buckets, heads) * 0.02)

    def values(self, head: Tensor, query: Facts, key: Facts) -> Tensor:
        return self.table[self.bucket(key.order - query.order), head]

    def bucket(self, offset: Tensor) -> Tensor:
        """The row of the table for order(key) − order(query)."""
        directed = len(self.table) if self.causal else len(self.table) // 2
        distance = (-offset).clamp(min=0) if self.causal else offset.abs()
        growth = torch.log(distance.clamp(min=1) / self.near) / math.log(self.furthest / self.near)
        far = (self.near + (growth * (directed - self.near)).long()).clamp(max=directed - 1)
        bucket = torch.where(distance < self.near, distance, far)
        return bucket if self.causal else bucket + torch.where(offset > 0, directed, 0)
