"""A token sees its neighbourhood in order (Longformer, https://arxiv.org/abs/2004.05150)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmattn.errors import ConfigError
from mmattn.patterns.pattern import Facts, Pattern


@dataclass(frozen=True)
class SlidingWindow(Pattern):
    """−after ≤ query − key ≤ before; `after=0` is causal."""

    before: int
    after: int = 0

    def __post_init__(self) -> None:
        if self.before < 0 or self.after < 0:
            raise ConfigError(f"pattern: before={self.before} and after={self.after} must not be negative.")

    def allows(self, query: Facts, key: Facts) -> Any:
        distance = query.order - key.order
        return (distance <= self.before) & (distance >= -self.after)
