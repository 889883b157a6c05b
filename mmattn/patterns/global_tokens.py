"""A few tokens see and are seen by all (Longformer, https://arxiv.org/abs/2004.05150)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmattn.patterns.facts import Facts
from mmattn.patterns.pattern import Pattern


@dataclass(frozen=True)
class GlobalTokens(Pattern):
    """is_global(query) ∨ is_global(key); meant for `SlidingWindow(…) | GlobalTokens()`."""

    def allows(self, query: Facts, key: Facts) -> Any:
        return query.is_global | key.is_global

    def sort_key(self, facts: Facts) -> Any:
        return ~facts.is_global  # the global tokens of a document first, wherever they stood
