"""A pattern: a pure predicate over facts about a query token and a key token."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Facts:
    """What a predicate reads of one side, shaped to broadcast against the other.

    `order`, `document`, `modality`, `is_global` and each of `extra` are as in `TokenInfo`; `coordinates` is a tuple
    with one entry an axis, read through `axis`.
    """

    order: Any
    coordinates: tuple[Any, ...]
    document: Any
    modality: Any
    is_global: Any
    extra: Mapping[str, Any]


class Pattern(ABC):
    """Who may attend to whom. Subclasses are frozen dataclasses: they hash, so that a mask is built once a batch.

    `allows` uses comparisons, `+`, `-`, `//` by a constant, `divisible`, `axis`, boolean facts, `&`, `|` and `~` only,
    so that one line can be read on tensors, on one pair of indices and on ranges of a block.
    Documents are not its business: tokens of different documents never see each other.
    """

    @abstractmethod
    def allows(self, query: Facts, key: Facts) -> Any:
        """True where the query may read the key."""

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


def axis(coordinates: tuple[Any, ...], index: int) -> Any:
    """The grid place along one axis."""
    if index >= len(coordinates):
        raise ValueError(f"these tokens have {len(coordinates)} coordinate axes; axis {index} does not exist")
    return coordinates[index]


def divisible(value: Any, divisor: int) -> Any:
    """True where `divisor` divides `value`."""
    return value - value // divisor * divisor == 0
