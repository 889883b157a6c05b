"""A pattern bound to the facts of a batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from torch import Tensor

from mmattn.errors import ConfigError
from mmattn.patterns.causal import Causal
from mmattn.patterns.facts import Facts
from mmattn.patterns.full import Full
from mmattn.patterns.pattern import Pattern
from mmattn.sequence import TokenInfo


class Visibility:
    """Query i sees key j iff the pattern allows it and both belong to the same document; padding has none.

    Built once a batch and pattern. `keys` defaults to the queries themselves (self-attention).
    """

    def __init__(self, pattern: Pattern, queries: TokenInfo, keys: TokenInfo | None = None) -> None:
        self.pattern, self.queries = pattern, queries
        self.keys = queries if keys is None else keys
        self._kept: dict[Any, Any] = {}

    @cached_property
    def mask(self) -> Tensor:
        """bool (batch, 1, queries, keys): True where the query sees the key."""
        return sees(self.pattern, *self.facts)[:, None]

    @property
    def facts(self) -> tuple[Facts, Facts]:
        """Of the queries (batch, queries, 1) and of the keys (batch, 1, keys)."""
        return Facts(self.queries, lambda fact: fact.unsqueeze(2)), Facts(self.keys, lambda fact: fact.unsqueeze(1))

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """(batch, queries, keys); the facts of both must have the same batch."""
        (batch, queries), (of_keys, keys) = self.queries.order.shape, self.keys.order.shape
        if batch != of_keys:
            raise ConfigError(f"a visibility got facts of {batch} rows of queries and of {of_keys} rows of keys.")
        return batch, queries, keys

    @cached_property
    def needs_no_mask(self) -> bool:
        """Full or causal, one document a row, no padding, the keys are the queries: fused kernels have words for it."""
        layout = self.queries.layout
        plain = self.keys is self.queries and layout.one_document and not layout.padded
        return plain and type(self.pattern) in (Full, Causal)

    def kept(self, name: Any, make: Callable[[], Any]) -> Any:
        """What `make` gives, kept under a name: made once a batch and pattern, not once a layer."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]


def sees(pattern: Pattern, query: Facts, key: Facts) -> Any:
    """Whether the query sees the key: the pattern allows it, the document is the same, and neither is padding."""
    return pattern.allows(query, key) & (query.document == key.document) & (key.document >= 0)
