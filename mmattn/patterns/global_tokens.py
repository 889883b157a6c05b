"""A few tokens see and are seen by all (Longformer, https://arxiv.org/abs/2004.05150)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmattn.patterns.pattern import Facts, Pattern


@dataclass(frozen=True)
class GlobalTokens(Pattern):
    """is_global(query) ∨ is_global(key); meant for `SlidingWindow(…) | GlobalTokens()`."""

    def allows(self, query: Facts, key: Facts) -> Any:
        return query.is_global | key.is_global
