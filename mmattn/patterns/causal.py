"""No token sees a later one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmattn.patterns.facts import Facts
from mmattn.patterns.pattern import Pattern


@dataclass(frozen=True)
class Causal(Pattern):
    """key ≤ query"""

    def allows(self, query: Facts, key: Facts) -> Any:
        return key.order <= query.order
