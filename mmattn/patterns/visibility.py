"""A pattern bound to the facts of a batch."""

from __future__ import annotations

from functools import cached_property

from torch import Tensor

from mmattn.patterns.pattern import Facts, Pattern
from mmattn.sequence import TokenInfo


class Visibility:
    """Query i sees key j iff the pattern allows it and both belong to the same document; padding has none.

    Built once a batch and pattern. `keys` defaults to the queries themselves (self-attention).
    """

    def __init__(self, pattern: Pattern, queries: TokenInfo, keys: TokenInfo | None = None) -> None:
        self.pattern, self.queries = pattern, queries
        self.keys = queries if keys is None else keys

    @cached_property
    def mask(self) -> Tensor:
        """bool (batch, 1, queries, keys): True where the query sees the key."""
        query, key = _facts(self.queries, 2), _facts(self.keys, 1)
        allowed = self.pattern.allows(query, key)
        return (allowed & (query.document == key.document) & (key.document >= 0))[:, None]

    @cached_property
    def is_plain(self) -> bool:
        """One document a row, no padding, the keys are the queries: the mask depends on `order` alone."""
        layout = self.queries.layout
        return self.keys is self.queries and layout.one_document and not layout.padded


def _facts(info: TokenInfo, dim: int) -> Facts:
    """Facts (batch, length, 1) of queries for dim=2, (batch, 1, length) of keys for dim=1."""
    return Facts(
        order=info.order.unsqueeze(dim),
        coordinates=tuple(each.unsqueeze(dim) for each in info.coordinates.unbind(-1)),
        document=info.document.unsqueeze(dim),
        modality=info.modality.unsqueeze(dim),
        is_global=info.is_global.unsqueeze(dim),
        extra={name: fact.unsqueeze(dim) for name, fact in info.extra.items()},
    )
