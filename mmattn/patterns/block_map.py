"""Which pairs of blocks of tokens are dead, full or partial under a pattern, without a mask of all pairs.

    tokens     0 0 0 0 0 0 1 1 | 1 1 1 1 . . . .      two documents and padding, blocks of eight
    pieces     [─────────] [─]   [─────]              a block's tokens of one document
    ranges     order 0…5   0…1   2…5                  bounds of each fact over a piece

1. Only pieces of the same document can see one another; padding belongs to no piece.
2. The pattern is read on the ranges of a query piece and a key piece: `some` false makes the pair dead, `every` true
   makes it full, anything else is partial. It is read on whole documents first, then on groups of pieces, then on
   pieces: what is dead or full in the large needs no closer look.
3. A pair of blocks is live if a pair of their pieces is, and full if it is one full pair of pieces that fill them.

A live pair is never left out and a full one never wrong; a pair may be called partial without need.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmattn.errors import ConfigError
from mmattn.patterns.facts import Facts
from mmattn.patterns.flat import check_contiguous
from mmattn.patterns.pattern import Pattern
from mmattn.patterns.ranges import MIXED, Range, Truth
from mmattn.sequence import TokenInfo

GROUP = 16  # pieces that are read together before each is read alone


class BlockMap(NamedTuple):
    """The live pairs of blocks, sorted by query block, then by key block.

    query, key: int64 (pairs,), numbers of blocks of `block` tokens; full: bool (pairs,), every token of the query block
    sees every token of the key block. Blocks that are shorter than `block` are never full.
    """

    query: NDArray
    key: NDArray
    full: NDArray
    block: int
    query_blocks: int
    key_blocks: int

    @property
    def share(self) -> float:
        """Live pairs of blocks ÷ all pairs."""
        return len(self.query) / max(1, self.query_blocks * self.key_blocks)


def block_map(pattern: Pattern, queries: TokenInfo, keys: TokenInfo, block: int) -> BlockMap:
    """The map of one row of tokens: facts (1, tokens) on the CPU, the documents contiguous.

    Raises ConfigError where the pattern does what cannot be read on ranges.
    """
    query_levels, key_levels = _levels(queries, block), _levels(keys, block)
    _, query, key = np.intersect1d(query_levels[0].document, key_levels[0].document, True, return_indices=True)
    full = np.zeros(len(query), bool)
    for depth, (above, below) in enumerate(zip(query_levels, key_levels, strict=True)):
        unsure = np.flatnonzero(~full)
        truth = _read(pattern, above.facts(query[unsure]), below.facts(key[unsure]))
        full[unsure] = truth.every & truth.some
        live = full.copy()
        live[unsure] = truth.some
        query, key, full = query[live], key[live], full[live]
        if depth < len(query_levels) - 1:
            query, key, full = _parts_of(above, below, query, key, full)
    return _of_blocks(query_levels[-1], key_levels[-1], query, key, full, block)


class _Level:
    """Runs of tokens of one document at one resolution, and the bounds of their facts.

    document (runs,); start and stop (runs,), tokens from and to; first and count (runs,), the runs of the next finer
    level that they consist of.
    """

    def __init__(self, info: TokenInfo, start: NDArray, stop: NDArray, first: NDArray, count: NDArray) -> None:
        self.info, self.start, self.stop, self.first, self.count = info, start, stop, first, count
        self.document = info.document[0].numpy()[start]
        self._edges = np.stack([start, stop], 1).ravel()

    def facts(self, index: NDArray) -> Facts:
        """The facts of the runs at `index`, as ranges and truths."""
        return Facts(self.info, lambda fact: self._read(fact, index))

    def _read(self, fact: Tensor, index: NDArray) -> Range | Truth:
        low, high = self._bounds(fact)
        if fact.dtype == torch.bool:
            return Truth(high[index].astype(bool), low[index].astype(bool))
        return Range(low[index], high[index], lambda divisor: self._remainder(fact, divisor)[index])

    def _bounds(self, fact: Tensor) -> tuple[NDArray, NDArray]:
        if id(fact) not in self._known:
            values = _values(fact)
            self._known[id(fact)] = fact, self._reduce(np.minimum, values), self._reduce(np.maximum, values)
        return self._known[id(fact)][1:]

    @cached_property
    def _known(self) -> dict[int, Any]:
        return {}

    def _remainder(self, fact: Tensor, divisor: int) -> NDArray:
        rest = _values(fact) % divisor
        low, high = self._reduce(np.minimum, rest), self._reduce(np.maximum, rest)
        return np.where(low == high, low, MIXED)

    def _reduce(self, bound: np.ufunc, values: NDArray) -> NDArray:
        # reduceat bounds from each edge to the next: every second stretch lies between runs.
        return bound.reduceat(np.append(values, values[:1]), self._edges)[::2] if len(self.start) else values[:0]


def _values(fact: Tensor) -> NDArray:
    values = fact[0].numpy()
    return values.astype(np.int8) if values.dtype == bool else values


def _levels(info: TokenInfo, block: int) -> list[_Level]:
    """Documents, groups of pieces, pieces."""
    document = info.document[0].numpy()
    tokens = len(document)
    changes = np.flatnonzero(np.diff(document)) + 1
    start = np.union1d(np.arange(0, tokens, block), changes).astype(np.int64)
    stop = np.append(start[1:], tokens)
    real = document[start] >= 0
    start, stop = start[real], stop[real]
    names = document[start]
    new = np.flatnonzero(np.append(True, np.diff(names) != 0)) if len(names) else np.zeros(0, np.int64)
    check_contiguous(names[new])
    rank = np.arange(len(names)) - np.repeat(new, np.diff(np.append(new, len(names))))
    group = np.flatnonzero(rank % GROUP == 0)

    def coarser(first: NDArray, total: int, ends: NDArray) -> tuple[NDArray, NDArray, NDArray]:
        count = np.diff(np.append(first, total))
        return ends[first + count - 1] if len(first) else ends[:0], first, count

    pieces = _Level(info, start, stop, np.arange(len(start)), np.ones(len(start), np.int64))
    groups = _Level(info, start[group], *coarser(group, len(start), stop))
    whole = np.flatnonzero(rank[group] == 0)
    return [_Level(info, start[new], *coarser(whole, len(group), groups.stop)), groups, pieces]


def _read(pattern: Pattern, query: Facts, key: Facts) -> Truth:
    try:
        truth = pattern.allows(query, key)
    except (TypeError, AttributeError) as error:
        raise ConfigError(
            f"{pattern} cannot be read on ranges of tokens ({error}); see Pattern for what it may use."
        ) from None
    if not isinstance(truth, Truth):
        raise ConfigError(f"{pattern} answers {type(truth).__name__} and not yes or no: it must compare facts.")
    return truth


def _parts_of(
    above: _Level, below: _Level, query: NDArray, key: NDArray, full: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    """Every pair of finer runs of the pairs of runs, each as full as the pair that it comes from."""
    columns = below.count[key]
    total = above.count[query] * columns
    owner = np.repeat(np.arange(len(query)), total)
    place = np.arange(len(owner)) - np.repeat(np.cumsum(total) - total, total)
    row, column = np.divmod(place, columns[owner])
    return above.first[query][owner] + row, below.first[key][owner] + column, full[owner]


def _of_blocks(
    query_pieces: _Level, key_pieces: _Level, query: NDArray, key: NDArray, full: NDArray, block: int
) -> BlockMap:
    """Pairs of pieces as pairs of the blocks in which they lie."""
    query_blocks, key_blocks = (-(-level.info.order.shape[1] // block) for level in (query_pieces, key_pieces))
    whole_query, whole_key = (level.stop - level.start == block for level in (query_pieces, key_pieces))
    code = query_pieces.start[query] // block * key_blocks + key_pieces.start[key] // block
    full = full & whole_query[query] & whole_key[key]
    order = np.argsort(code, kind="stable")
    code, full = code[order], full[order]
    first = np.append(True, np.diff(code) != 0) if len(code) else np.zeros(0, bool)
    code, full = code[first], full[first]  # a whole block is one piece, so a full pair stands alone
    return BlockMap(code // max(1, key_blocks), code % max(1, key_blocks), full, block, query_blocks, key_blocks)
