"""No token sees a later one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmattn.patterns.pattern import Facts, Pattern


@dataclass(frozen=True)
class Causal(Pattern):
    """key ≤ query"""

    def allows(self, query: Facts, key: Facts) -> Any:
        return key.order <= query.order
