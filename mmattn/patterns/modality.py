"""Tokens of one kind, or of different kinds, see one another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmattn.patterns.facts import Facts
from mmattn.patterns.pattern import Pattern


@dataclass(frozen=True)
class SameModality(Pattern):
    """modality(query) = modality(key)"""

    def allows(self, query: Facts, key: Facts) -> Any:
        return query.modality == key.modality


@dataclass(frozen=True)
class CrossModality(Pattern):
    """modality(query) ≠ modality(key)"""

    def allows(self, query: Facts, key: Facts) -> Any:
        return query.modality != key.modality
