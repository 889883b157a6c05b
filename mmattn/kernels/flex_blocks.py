"""The lists of blocks that FlexAttention takes, from our map of live blocks: no pair of tokens is looked at.

row 0            row 1            rows of the batch one after the other, each padded to whole blocks
[block][block··] [block][bl····]
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from numpy.typing import NDArray
from torch import Tensor

from mmattn.patterns import Visibility
from mmattn.patterns.block_map import BlockMap, block_map
from mmattn.patterns.flat import flat, padded

BLOCK = 128  # tokens; what FlexAttention's kernels are tuned for


class Lists(NamedTuple):
    """The tensors of FlexAttention's BlockMask, int32, in its order.

    Of each query block, how many key blocks need the mask (rows, 1, query blocks), and the numbers of the key blocks,
    those first (rows, 1, query blocks, key blocks); the same of the key blocks that are wholly visible; and both the
    other way round, of each key block, which its backward reads.
    """

    keys: Tensor
    key_numbers: Tensor
    full_keys: Tensor
    full_key_numbers: Tensor
    queries: Tensor
    query_numbers: Tensor
    full_queries: Tensor
    full_query_numbers: Tensor


def live_blocks(visibility: Visibility) -> BlockMap:
    """The map of all rows, in blocks of BLOCK tokens; made once a visibility."""
    return visibility.kept("flex blocks", lambda: _live_blocks(visibility))


def lists(blocks: BlockMap, rows: int) -> Lists:
    """The map of `rows` rows as lists."""
    partial, full = (_dense(blocks, rows, which) for which in (~blocks.full, blocks.full))
    return Lists(*_listed(partial), *_listed(full), *_listed(partial.mT), *_listed(full.mT))


def _live_blocks(visibility: Visibility) -> BlockMap:
    queries = padded(visibility.queries.to("cpu"), BLOCK)
    keys = queries if visibility.keys is visibility.queries else padded(visibility.keys.to("cpu"), BLOCK)
    return block_map(visibility.pattern, *flat(queries, keys), BLOCK)


def _dense(blocks: BlockMap, rows: int, which: NDArray) -> Tensor:
    """bool (rows, 1, query blocks, key blocks): the pairs of the map that are chosen."""
    height, width = blocks.query_blocks // rows, blocks.key_blocks // rows
    query, key = blocks.query[which], blocks.key[which]
    seen = torch.zeros(rows, 1, height, width, dtype=torch.bool)
    seen[query // height, 0, query % height, key % width] = True
    return seen


def _listed(seen: Tensor) -> tuple[Tensor, Tensor]:
    """How many of the last dimension are chosen, and their numbers first; kernels take them to be contiguous."""
    seen = seen.int().contiguous()
    return seen.sum(-1, dtype=torch.int32), seen.argsort(dim=-1, descending=True, stable=True).int().contiguous()
