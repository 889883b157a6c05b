"""The tokens of a part in the order that makes its live blocks dense."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from mmattn.patterns import Facts, Pattern
from mmattn.patterns.flat import padded
from mmattn.patterns.parts import Part
from mmattn.sequence import TokenInfo


class Sides(NamedTuple):
    """A part's pattern and tokens, sorted; query_order and key_order (tokens,) say from where, None: as they were."""

    pattern: Pattern
    query_order: Tensor | None
    key_order: Tensor | None
    queries: TokenInfo
    keys: TokenInfo


def sides(part: Part, queries: TokenInfo, keys: TokenInfo) -> Sides:
    """Sort facts (1, tokens) within documents by what the part names; equal queries and keys stay one object."""
    if part.sorter is None:
        return Sides(part.pattern, None, None, queries, keys)
    query_order = _order(part.sorter, queries)
    sorted_queries = queries.pick(query_order[None])
    if keys is queries:
        return Sides(part.pattern, query_order, query_order, sorted_queries, sorted_queries)
    key_order = _order(part.sorter, keys)
    return Sides(part.pattern, query_order, key_order, sorted_queries, keys.pick(key_order[None]))


def in_whole_blocks(sides: Sides, block: int) -> Sides:
    """The same with padding behind the tokens, up to a multiple of a block."""
    queries = padded(sides.queries, block)
    return sides._replace(queries=queries, keys=queries if sides.keys is sides.queries else padded(sides.keys, block))


def _order(sorter: Pattern, info: TokenInfo) -> Tensor:
    key: Any = sorter.sort_key(Facts(info, lambda fact: fact[0]))
    document = info.document[0]
    run = torch.zeros_like(document)
    run[1:] = (document[1:] != document[:-1]).cumsum(0)
    order = key.argsort(stable=True)
    return order[run[order].argsort(stable=True)]
