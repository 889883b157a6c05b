"""A document in chunks that do not see one another (Image Transformer's blocks, https://arxiv.org/abs/1802.05751)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmattn.patterns.checks import at_least
from mmattn.patterns.facts import Facts
from mmattn.patterns.pattern import Pattern


@dataclass(frozen=True)
class Chunk(Pattern):
    """⌊query / size⌋ = ⌊key / size⌋"""

    size: int

    def __post_init__(self) -> None:
        at_least(1, "pattern Chunk", size=self.size)

    def allows(self, query: Facts, key: Facts) -> Any:
        return query.order // self.size == key.order // self.size


@dataclass(frozen=True)
class ChunkedCausal(Pattern):
    """⌊query / size⌋ = ⌊key / size⌋ ∧ key ≤ query"""

    size: int

    def __post_init__(self) -> None:
        at_least(1, "pattern ChunkedCausal", size=self.size)

    def allows(self, query: Facts, key: Facts) -> Any:
        return (query.order // self.size == key.order // self.size) & (key.order <= query.order)
