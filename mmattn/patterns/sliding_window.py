"""A token sees its neighbourhood in order (Longformer, https://arxiv.org/abs/2004.05150)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmattn.patterns.checks import at_least
from mmattn.patterns.facts import Facts
from mmattn.patterns.pattern import Pattern, divisible


@dataclass(frozen=True)
class SlidingWindow(Pattern):
    """−after · dilation ≤ query − key ≤ before · dilation ∧ dilation | (query − key); `after=0` is causal."""

    before: int
    after: int = 0
    dilation: int = 1

    def __post_init__(self) -> None:
        at_least(0, "pattern SlidingWindow", before=self.before, after=self.after)
        at_least(1, "pattern SlidingWindow", dilation=self.dilation)

    def allows(self, query: Facts, key: Facts) -> Any:
        distance = query.order - key.order
        near = (distance <= self.before * self.dilation) & (distance >= -self.after * self.dilation)
        return near if self.dilation == 1 else near & divisible(distance, self.dilation)

    def sort_key(self, facts: Facts) -> Any | None:
        return None if self.dilation == 1 else facts.order - facts.order // self.dilation * self.dilation
