"""A pattern: a pure predicate over facts about a query token and a key token."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from mmattn.patterns.facts import Facts
from mmattn.patterns.ranges import Range


class Pattern(ABC):
    """Who may attend to whom. Subclasses are frozen dataclasses: they hash, so that a mask is built once a batch.

    `allows` uses comparisons, `+`, `-`, `//` by a constant, `divisible`, `axis`, boolean facts, `&`, `|` and `~` only,
    so that one line can be read on tensors, on one pair of indices and on ranges of a block.
    Documents are not its business: tokens of different documents never see each other.
    """

    @abstractmethod
    def allows(self, query: Facts, key: Facts) -> Any:
        """True where the query may read the key."""

    def sort_key(self, facts: Facts) -> Any | None:
        """An integer a token, or None: tokens with equal keys see one another more, so that a kernel may sort by it."""
        return None

    def __and__(self, other: Pattern) -> Pattern:
        return Both(self, other)

    def __or__(self, other: Pattern) -> Pattern:
        return Either(self, other)

    def __invert__(self) -> Pattern:
        return Not(self)


@dataclass(frozen=True)
class Both(Pattern):
    """left ∧ right"""

    left: Pattern
    right: Pattern

    def allows(self, query: Facts, key: Facts) -> Any:
        return self.left.allows(query, key) & self.right.allows(query, key)


@dataclass(frozen=True)
class Either(Pattern):
    """left ∨ right"""

    left: Pattern
    right: Pattern

    def allows(self, query: Facts, key: Facts) -> Any:
        return self.left.allows(query, key) | self.right.allows(query, key)


@dataclass(frozen=True)
class Not(Pattern):
    """¬ pattern, within documents"""

    pattern: Pattern

    def allows(self, query: Facts, key: Facts) -> Any:
        return ~self.pattern.allows(query, key)


def divisible(value: Any, divisor: int) -> Any:
    """True where `divisor` divides `value`."""
    if isinstance(value, Range):
        return value.divisible(divisor)
    return value - value // divisor * divisor == 0
