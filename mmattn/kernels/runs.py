"""The documents of a batch as runs of tokens in one row without padding, which is what kernels for packed rows take.

rows       0 0 0 . .     1 1 2 2 2          two rows, three documents, padding
tokens     0 1 2         5 6 7 8 9          where the tokens of the runs stand among all
edges      0     3       5     8            from where to where a run goes, the last edge is the end
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmattn.patterns import Causal, Full, Pattern, SlidingWindow, Visibility
from mmattn.patterns.flat import check_contiguous, flat
from mmattn.sequence import TokenInfo


class Runs(NamedTuple):
    """tokens: int64 (tokens,), numbers of tokens in batch · length, None: all in their order; edges: int32 (runs + 1,);
    longest: tokens of the longest run."""

    tokens: Tensor | None
    edges: Tensor
    longest: int

    def to(self, device: torch.device) -> Runs:
        return Runs(None if self.tokens is None else self.tokens.to(device), self.edges.to(device), self.longest)


def runs(visibility: Visibility) -> tuple[Runs, Runs]:
    """Of queries and of keys, pair by pair in equal order; documents that one side lacks are left out on the other.

    Raises ValueError where the tokens of a document do not stand together.
    """
    first, second = flat(visibility.queries.to("cpu"), visibility.keys.to("cpu"))
    queries = _documents(first)
    if visibility.keys is visibility.queries:
        own = _runs(queries.start, queries.stop, first)
        return own, own
    keys = _documents(second)
    _, one, other = np.intersect1d(queries.name, keys.name, assume_unique=True, return_indices=True)
    return _runs(queries.start[one], queries.stop[one], first), _runs(keys.start[other], keys.stop[other], second)


def pack(heads: Tensor, side: Runs) -> Tensor:
    """(batch, heads, length, width) → (tokens of the runs, heads, width)"""
    row = heads.transpose(1, 2).flatten(0, 1)
    return row if side.tokens is None else row.index_select(0, side.tokens)


def unpack(packed: Tensor, side: Runs, batch: int, length: int) -> Tensor:
    """The inverse of `pack`, zeros for all other tokens."""
    if side.tokens is not None:
        row = packed.new_zeros(batch * length, *packed.shape[1:])
        packed = row.index_copy(0, side.tokens, packed)
    return packed.unflatten(0, (batch, length)).transpose(1, 2)


def window(pattern: Pattern) -> tuple[int, int] | None:
    """How many tokens before and after itself a query sees within its run, −1: all; None: the pattern is no window."""
    if type(pattern) is Full:
        return -1, -1
    if type(pattern) is Causal:
        return -1, 0
    if type(pattern) is SlidingWindow and pattern.dilation == 1:
        return pattern.before, pattern.after
    return None


def in_steps_of_one(info: TokenInfo) -> bool:
    """Whether `order` grows by one from token to token of every document, so that places in a run tell distances."""
    same = (info.document[:, 1:] == info.document[:, :-1]) & info.real[:, 1:]
    return bool(((info.order.diff(dim=1) == 1) | ~same).all())


class _Documents(NamedTuple):
    """name, start, stop: int64 (documents,), tokens from and to in the flat row."""

    name: NDArray
    start: NDArray
    stop: NDArray


def _documents(info: TokenInfo) -> _Documents:
    document = info.document[0].numpy()
    start = np.flatnonzero(np.append(True, np.diff(document) != 0)) if len(document) else np.zeros(0, np.int64)
    stop = np.append(start[1:], len(document))
    real = document[start] >= 0
    name = document[start][real]
    check_contiguous(name)
    return _Documents(name, start[real], stop[real])


def _runs(start: NDArray, stop: NDArray, info: TokenInfo) -> Runs:
    length = stop - start
    edges = np.append(0, length.cumsum())
    tokens = np.arange(edges[-1]) + np.repeat(start - edges[:-1], length)
    whole = len(tokens) == info.order.shape[1] and bool((np.diff(tokens) == 1).all())
    longest = int(length.max()) if len(length) else 0
    return Runs(None if whole else torch.from_numpy(tokens), torch.from_numpy(edges).int(), longest)
