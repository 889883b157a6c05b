"""The masks of partial pairs of blocks; equal ones are kept once."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmattn.kernels.sides import Sides
from mmattn.patterns import Facts
from mmattn.patterns.block_map import BlockMap
from mmattn.patterns.visibility import sees
from mmattn.sequence import TokenInfo

AT_ONCE = 2**22  # pairs of tokens whose facts are compared in one go
FULL = 0  # the tile in which every query sees every key


def tiles_of(sides: Sides, blocks: BlockMap) -> tuple[Tensor, NDArray]:
    """Of sides in whole blocks: tiles, bool (tiles, block, block), the first of them FULL, and the tile of each pair of
    the map (pairs,)."""
    block = blocks.block
    tiles = [torch.ones(1, block, block, dtype=torch.bool)]
    number = np.full(len(blocks.query), FULL)
    partial = np.flatnonzero(~blocks.full)
    queries = sides.queries.map(_narrow)
    keys = queries if sides.keys is sides.queries else sides.keys.map(_narrow)
    known: dict[int, int] = {}
    for some in np.array_split(partial, max(1, -(-len(partial) * block**2 // AT_ONCE))):
        masks = _masks(sides, queries, keys, blocks.query[some], blocks.key[some], block)
        names, first, inverse = np.unique(_hashes(masks), return_index=True, return_inverse=True)
        for name, index in zip(names.tolist(), first.tolist(), strict=True):
            if name not in known:
                known[name] = len(tiles)
                tiles.append(masks[index : index + 1])
        number[some] = np.array([known[name] for name in names.tolist()], np.int64)[inverse]
    return torch.cat(tiles), number


def _masks(sides: Sides, queries: TokenInfo, keys: TokenInfo, query: NDArray, key: NDArray, block: int) -> Tensor:
    """bool (pairs, block, block)"""
    rows, columns = torch.from_numpy(query), torch.from_numpy(key)
    return sees(
        sides.pattern,
        Facts(queries, lambda fact: fact.view(-1, block)[rows][:, :, None]),
        Facts(keys, lambda fact: fact.view(-1, block)[columns][:, None, :]),
    )


def _narrow(fact: Tensor) -> Tensor:
    """int64 as int32 where the differences of its values fit, too: half the memory to read."""
    if fact.dtype != torch.int64 or not fact.numel() or int(fact.abs().max()) >= 2**30:
        return fact
    return fact.int()


def _hashes(masks: Tensor) -> NDArray:
    """int64 (pairs,): equal masks have equal numbers, and unequal ones do not but for a chance of 2⁻⁶⁴ a pair."""
    bits = np.packbits(masks.flatten(1).numpy(), axis=1)
    words = np.pad(bits, ((0, 0), (0, -bits.shape[1] % 8))).view(np.uint64)
    odd = np.random.default_rng(0).integers(0, 2**63, (2, words.shape[1]), dtype=np.uint64) * 2 + 1
    mixed = (words ^ (words >> np.uint64(32))) * odd[0]
    return ((mixed ^ (mixed >> np.uint64(29))) * odd[1]).sum(1, dtype=np.uint64).view(np.int64)
