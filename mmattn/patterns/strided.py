"""A token sees every n-th token (Sparse Transformer, https://arxiv.org/abs/1904.10509)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmattn.patterns.checks import at_least
from mmattn.patterns.facts import Facts
from mmattn.patterns.pattern import Pattern, divisible


@dataclass(frozen=True)
class Strided(Pattern):
    """stride | (query − key); the paper's pattern is `Causal() & (SlidingWindow(stride) | Strided(stride))`."""

    stride: int

    def __post_init__(self) -> None:
        at_least(1, "pattern Strided", stride=self.stride)

    def allows(self, query: Facts, key: Facts) -> Any:
        return divisible(query.order - key.order, self.stride)

    def sort_key(self, facts: Facts) -> Any:
        return facts.order - facts.order // self.stride * self.stride
