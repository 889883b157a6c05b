"""Every pattern beside a plain rule over two tokens, so that what it says is told twice and in two ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mmattn.patterns import (
    Causal,
    Chunk,
    ChunkedCausal,
    CrossModality,
    Full,
    GlobalTokens,
    Neighbourhood,
    Pattern,
    PrefixLM,
    SameModality,
    SlidingWindow,
    Strided,
)
from mmattn.sequence import TokenInfo


class Token(NamedTuple):
    """What is known about one token; place: (row, column)."""

    order: int
    place: tuple[int, ...]
    document: int
    modality: int
    is_global: bool
    prefix: bool


class Rule(NamedTuple):
    pattern: Pattern
    sees: Callable[[Token, Token], bool]


def near_on_grid(query: Token, key: Token, rows: int, columns: int) -> bool:
    (row, column), (to_row, to_column) = query.place, key.place
    if row < 0 or to_row < 0:
        return row < 0 and to_row < 0
    return abs(row - to_row) <= rows and abs(column - to_column) <= columns


# Sizes at which sequences of a dozen tokens have pairs on both sides of each edge.
RULES = {
    "full": Rule(Full(), lambda query, key: True),
    "causal": Rule(Causal(), lambda query, key: query.order >= key.order),
    "window": Rule(SlidingWindow(2), lambda query, key: query.order - key.order in (0, 1, 2)),
    "two-sided window": Rule(SlidingWindow(1, 3), lambda query, key: key.order - query.order in (-1, 0, 1, 2, 3)),
    "dilated window": Rule(SlidingWindow(2, 1, 3), lambda query, key: query.order - key.order in (-3, 0, 3, 6)),
    "strided": Rule(Strided(3), lambda query, key: query.order % 3 == key.order % 3),
    "chunk": Rule(Chunk(4), lambda query, key: query.order // 4 == key.order // 4),
    "chunked causal": Rule(
        ChunkedCausal(5), lambda query, key: key.order in range(query.order - query.order % 5, query.order + 1)
    ),
    "global": Rule(GlobalTokens(), lambda query, key: query.is_global or key.is_global),
    "same modality": Rule(SameModality(), lambda query, key: query.modality == key.modality),
    "cross modality": Rule(CrossModality(), lambda query, key: query.modality != key.modality),
    "neighbourhood": Rule(Neighbourhood(1, 0), lambda query, key: near_on_grid(query, key, 1, 0)),
    "prefix": Rule(PrefixLM(), lambda query, key: key.prefix or query.order >= key.order),
    "window or global": Rule(
        SlidingWindow(1, 1) | GlobalTokens(),
        lambda query, key: abs(query.order - key.order) <= 1 or query.is_global or key.is_global,
    ),
    "sparse": Rule(
        Causal() & (SlidingWindow(3) | Strided(3)),
        lambda query, key: (
            query.order >= key.order and (query.order - key.order <= 3 or query.order % 3 == key.order % 3)
        ),
    ),
    "far and causal": Rule(~SlidingWindow(1) & Causal(), lambda query, key: query.order - key.order > 1),
    "window without strides": Rule(
        SlidingWindow(4, 4) & ~Strided(2),
        lambda query, key: abs(query.order - key.order) <= 4 and (query.order - key.order) % 2 == 1,
    ),
    "prefix of a kind": Rule(
        PrefixLM() & SameModality(),
        lambda query, key: query.modality == key.modality and (key.prefix or query.order >= key.order),
    ),
    "neighbourhood, strided or global": Rule(
        Neighbourhood(1, 1) | Strided(4) | GlobalTokens(),
        lambda query, key: (
            near_on_grid(query, key, 1, 1)
            or (query.order - key.order) % 4 == 0
            or query.is_global
            or key.is_global
        ),
    ),
}  # fmt: skip
PATTERNS: dict[str, Pattern] = {name: rule.pattern for name, rule in RULES.items()}
ON_A_LINE = {
    name: PATTERNS[name] for name in ("full", "causal", "window", "window or global", "prefix", "far and causal")
}
"""Some that read no more than what `tests.core.examples.facts` gives."""


def listed(info: TokenInfo, row: int) -> list[Token]:
    """The tokens of a row."""
    columns = (info.order, info.coordinates, info.document, info.modality, info.is_global, info.extra["prefix"])
    rows = zip(*(column[row].tolist() for column in columns), strict=True)
    return [Token(order, tuple(place), *more) for order, place, *more in rows]


def seen_by_rule(rule: Rule, queries: TokenInfo, keys: TokenInfo) -> Tensor:
    """bool (batch, queries, keys), pair by pair."""
    return torch.tensor([
        [
            [own.document == other.document >= 0 and rule.sees(own, other) for other in listed(keys, row)]
            for own in listed(queries, row)
        ]
        for row in range(len(queries.order))
    ])  # fmt: skip


def kinds(value: Any) -> set[type]:
    """The classes of which a pattern is made."""
    if not is_dataclass(value):
        return set()
    return {type(value)}.union(*(kinds(getattr(value, field.name)) for field in fields(value)))
