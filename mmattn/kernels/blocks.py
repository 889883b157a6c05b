"""Reading and writing blocks of tokens: as views where they stand at even distances, else gathered."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import pad

from mmattn.kernels.plan import Call
from mmattn.kernels.sides import Sides
from mmattn.patterns import Facts

AT_ONCE = 2**22  # elements that are gathered, or made of scores and masks, for one call of a dense kernel


def chunks(call: Call, size: int) -> Iterator[Call]:
    """The call in pieces of which none makes more than AT_ONCE elements, at `size` elements a key block."""
    most = max(1, AT_ONCE // max(1, size * call.keys.shape[1]))
    if len(call.queries) <= most:
        yield call
        return
    for start in range(0, len(call.queries), most):
        piece = slice(start, start + most)
        tiles = call.tiles if call.tiles is None or len(call.tiles) == 1 else call.tiles[piece]
        yield Call(call.queries[piece], call.keys[piece], tiles, call.even)


def exact_dtype(tensor: Tensor) -> torch.dtype:
    """What is summed over blocks is summed in: float32, or float64 where the inputs are."""
    return torch.float64 if tensor.dtype == torch.float64 else torch.float32


def in_blocks(heads: Tensor, order: Tensor | None, block: int) -> Tensor:
    """(batch, heads, length, width) → (heads, blocks, block, width), row after row, zeros behind the last."""
    row = heads.transpose(0, 1).flatten(1, 2)
    if order is not None:
        row = row.index_select(1, order.to(row.device))
    row = pad(row, (0, 0, 0, -row.shape[1] % block))
    return row.unflatten(1, (-1, block))


def out_of_blocks(blocks: Tensor, order: Tensor | None, batch: int, length: int) -> Tensor:
    """The inverse of `in_blocks`: (heads, blocks, block, …) → (batch, heads, length, …)."""
    row = blocks.flatten(1, 2)[:, : batch * length]
    if order is not None:
        row = row.index_select(1, order.argsort().to(row.device))
    return row.unflatten(1, (batch, length)).transpose(0, 1)


def query_blocks(blocks: Tensor, call: Call) -> Tensor:
    """(heads, blocks, block, …) → (n, heads, block, …)"""
    return _rows(blocks, call).transpose(0, 1)


def write_query_blocks(blocks: Tensor, call: Call, values: Tensor) -> None:
    """Put values (n, heads, block, …) in their place."""
    if call.even:
        _rows(blocks, call).copy_(values.transpose(0, 1))
    else:
        blocks.index_copy_(1, call.queries.to(blocks.device), values.transpose(0, 1))


def key_blocks(blocks: Tensor, call: Call) -> Tensor:
    """(heads, blocks, block, width) → (n, heads, c · block, width)"""
    count, width = call.keys.shape
    heads, _, block, dim = blocks.shape
    if call.even:
        first = int(call.keys[0, 0])
        per_head, per_block, per_token, per_value = blocks.stride()
        return blocks.as_strided(
            (count, heads, width * block, dim),
            (call.even[1] * per_block, per_head, per_token, per_value),
            blocks.storage_offset() + first * per_block,
        )
    chosen = blocks.index_select(1, call.keys.flatten().to(blocks.device))
    return chosen.view(heads, count, width * block, dim).transpose(0, 1)


def add_key_blocks(blocks: Tensor, call: Call, values: Tensor) -> None:
    """Add values (n, heads, c · block, width) to the blocks of keys that they belong to."""
    count, width = call.keys.shape
    values = values.transpose(0, 1).unflatten(2, (width, -1))  # (heads, n, c, block, width)
    if call.even and call.even[1]:
        first, step = int(call.keys[0, 0]), call.even[1]
        for place in range(width):
            start = first + place
            blocks[:, start : start + (count - 1) * step + 1 : step] += values[:, :, place]
    else:
        blocks.index_add_(1, call.keys.flatten().to(blocks.device), values.flatten(1, 2))


def tile_mask(tiles: Tensor, call: Call) -> Tensor | None:
    """Tiles (tiles, block, block) → (n or 1, 1, block, c · block), None where all is seen."""
    if call.tiles is None:
        return None
    chosen = tiles.index_select(0, call.tiles.flatten().to(tiles.device)).unflatten(0, call.tiles.shape)
    return chosen.transpose(1, 2).flatten(2)[:, None]


def facts(call: Call, sides: Sides, block: int, device: torch.device) -> tuple[Facts, Facts]:
    """Of the call's queries (n, block, 1) and keys (n, 1, c · block); the sides are in whole blocks."""
    rows, columns = call.queries, call.keys
    return (
        Facts(sides.queries, lambda fact: fact.view(-1, block)[rows][:, :, None].to(device)),
        Facts(sides.keys, lambda fact: fact.view(-1, block)[columns].flatten(1)[:, None].to(device)),
    )


def _rows(blocks: Tensor, call: Call) -> Tensor:
    if not call.even:
        return blocks.index_select(1, call.queries.to(blocks.device))
    first, count, step = int(call.queries[0]), len(call.queries), call.even[0]
    return blocks[:, first : first + (count - 1) * step + 1 : step]
