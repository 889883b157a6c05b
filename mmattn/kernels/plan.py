"""What `blockwise` computes for a visibility: calls of a dense kernel on blocks of queries and the keys they see.

A plan has parts (`mmattn.patterns.parts`), a part has calls. A call takes query blocks that see equally many key
blocks:

    query block    key blocks    tiles
    3              1  2  3       ◣ ■ ◢      one row of tiles for all query blocks of the call where theirs are equal,
    4              2  3  4       ◣ ■ ◢      none where all are full
    …              …

Query blocks and runs of keys at even distances are read as views, anything else is gathered. A query block that sees
far more than others (one with a global token) is a call of its own, so that it does not widen the rest.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mmattn.kernels.sides import Sides, in_whole_blocks, sides
from mmattn.kernels.tiles import FULL, tiles_of
from mmattn.patterns import Facts, Visibility
from mmattn.patterns.block_map import BlockMap, block_map
from mmattn.patterns.flat import flat
from mmattn.patterns.parts import Part, parts

# Time of a pair of tokens in blocks of that size, against one in a large dense matrix.
COST = {64: 1.45, 128: 1.2, 256: 1.05}
SORT, MERGE = (
    60,
    60,
)  # what sorting a part's tokens, or merging one more part, costs a token: as many pairs take as long
SHARED = 4  # query blocks with equal tiles that deserve a call of their own


class Call(NamedTuple):
    """queries (n,): numbers of query blocks; keys (n, c): of the key blocks that each sees; tiles (n or 1, c): of the
    masks, None: all are full; even: how far it is from query block to query block and from key run to key run, None:
    not always as far."""

    queries: Tensor
    keys: Tensor
    tiles: Tensor | None
    even: tuple[int, int] | None


class PlannedPart(NamedTuple):
    """Sorted tokens in whole blocks, the tiles that its calls name (bool, (tiles, block, block)), and the calls."""

    sides: Sides
    tiles: Tensor
    calls: list[Call]


class Plan(NamedTuple):
    """Parts that add up to the pattern; share: pairs of tokens that are computed ÷ all pairs."""

    block: int
    share: float
    parts: list[PlannedPart]


class Draft(NamedTuple):
    """What a plan would compute, known from block maps alone."""

    block: int
    parts: list[tuple[Sides, BlockMap]]

    def computed(self) -> int:
        """Pairs of tokens."""
        return sum(len(blocks.query) for _, blocks in self.parts) * self.block**2

    def cost(self) -> float:
        sorts = sum(side.query_order is not None for side, _ in self.parts)
        tokens = self.parts[0][0].queries.order.shape[1]
        return self.computed() * COST[self.block] + (SORT * sorts + MERGE * (len(self.parts) - 1)) * tokens


def draft(visibility: Visibility) -> Draft:
    """The cheapest draft over block sizes, in the tokens' own order or in sorted parts; made once a visibility."""
    return visibility.kept("draft", lambda: _draft(visibility))


def plan(visibility: Visibility) -> Plan:
    """The cheapest draft with its masks; made once a visibility."""
    return visibility.kept("plan", lambda: _plan(visibility))


def _draft(visibility: Visibility) -> Draft:
    queries, keys = flat(visibility.queries.to("cpu"), visibility.keys.to("cpu"))
    if visibility.keys is visibility.queries:
        keys = queries
    whole = [Part(visibility.pattern, None)]
    split = parts(visibility.pattern, Facts(queries, lambda fact: fact))
    sorts = [[sides(part, queries, keys) for part in each] for each in ([whole] if split == whole else [whole, split])]
    drafts = (
        Draft(block, [(side, block_map(side.pattern, side.queries, side.keys, block)) for side in each])
        for each in sorts
        for block in COST
    )
    return min(drafts, key=Draft.cost)


def _plan(visibility: Visibility) -> Plan:
    chosen = draft(visibility)
    pairs = visibility.queries.order.numel() * visibility.keys.order.shape[1]
    planned = []
    for side, blocks in chosen.parts:
        side = in_whole_blocks(side, chosen.block)
        tiles, number = tiles_of(side, blocks)
        planned.append(PlannedPart(side, tiles, _calls(blocks, number)))
    return Plan(chosen.block, chosen.computed() / max(1, pairs), planned)


def _calls(blocks: BlockMap, tile: NDArray) -> list[Call]:
    """Query blocks with equally many key blocks together; those with equal tiles apart where they are several."""
    queries, start, count = np.unique(blocks.query, return_index=True, return_counts=True)
    calls = []
    for width in np.unique(count):
        rows = np.flatnonzero(count == width)
        place = start[rows, None] + np.arange(width)
        keys, tiles = blocks.key[place], tile[place]
        kinds, kind, members = np.unique(tiles, axis=0, return_inverse=True, return_counts=True)
        kind = np.where(members < SHARED, -1, np.arange(len(kinds)))[kind.ravel()]
        for each in np.unique(kind):
            chosen = np.flatnonzero(kind == each)
            calls.append(_call(queries[rows[chosen]], keys[chosen], tiles[chosen] if each < 0 else tiles[chosen[:1]]))
    return calls


def _call(queries: NDArray, keys: NDArray, tiles: NDArray) -> Call:
    masked = None if (tiles == FULL).all() else torch.from_numpy(tiles)
    return Call(torch.from_numpy(queries), torch.from_numpy(keys), masked, _even(queries, keys))


def _even(queries: NDArray, keys: NDArray) -> tuple[int, int] | None:
    runs = (np.diff(keys, axis=1) == 1).all()
    steps = np.unique(np.stack([np.diff(queries), np.diff(keys[:, 0])], 1), axis=0)
    if not runs or len(steps) > 1 or (steps < 0).any():  # no view goes backwards
        return None
    return (int(steps[0, 0]), int(steps[0, 1])) if len(steps) else (1, 1)
