"""Blockwise attention by torch's fused CPU kernel: one call for many blocks, forward and backward.

Parts are merged by their log-sum-exp (https://arxiv.org/abs/1805.02867): with L = log Σ exp s over all keys and Lₚ over
those of a part, out = Σₚ exp(Lₚ − L) outₚ. The backward of a part needs no more than L and out of the whole.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmattn.kernels.blocks import (
    add_key_blocks,
    chunks,
    in_blocks,
    key_blocks,
    masks,
    out_of_blocks,
    query_blocks,
    write_query_blocks,
)
from mmattn.kernels.plan import Plan, PlannedPart

_forward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


class Fused(torch.autograd.Function):
    """(query, key, value, plan, scale) → out, shapes as in `attend`."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, plan: Plan, scale: float) -> Tensor:
        batch, _, length, _ = query.shape
        out, total = None, None
        for part in plan.parts:
            mine, mine_total = _part(part, query, key, value, plan.block, scale, len(plan.parts) > 1)
            mine = out_of_blocks(mine, part.sides.query_order, batch, length)
            mine_total = out_of_blocks(mine_total, part.sides.query_order, batch, length)
            out, total = (mine, mine_total) if out is None else _merged(out, total, mine, mine_total)
        ctx.save_for_backward(query, key, value, out, total)
        ctx.plan, ctx.scale = plan, scale
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, out, total = ctx.saved_tensors
        sums: list[Tensor] | None = None
        for part in ctx.plan.parts:
            mine = _part_backward(part, query, key, value, out, total, grad, ctx.plan.block, ctx.scale)
            sums = mine if sums is None else [one.add_(other) for one, other in zip(sums, mine, strict=True)]
        return *sums, None, None


def _part(part: PlannedPart, query, key, value, block: int, scale: float, merged: bool) -> tuple[Tensor, Tensor]:
    """Output (heads, blocks, block, dim) and log-sum-exp (heads, blocks, block) of a part; 0 and −∞ where it sees nothing."""
    query = in_blocks(query, part.sides.query_order, block)
    key, value = (in_blocks(each, part.sides.key_order, block) for each in (key, value))
    tiles = _additive(part.tiles, query.dtype)
    out, total = torch.zeros_like(query), query.new_full(query.shape[:-1], -torch.inf, dtype=_total_dtype(query))
    for call in _calls(part, key):
        mask = masks(tiles, call)
        seen, seen_total = _forward(
            query_blocks(query, call), key_blocks(key, call), key_blocks(value, call), attn_mask=mask, scale=scale
        )
        if merged and mask is not None:  # the kernel says 0 for a row that sees nothing
            seen_total = seen_total.masked_fill(mask.amax(-1) == -torch.inf, -torch.inf)
        write_query_blocks(out, call, seen, add=False)
        write_query_blocks(total, call, seen_total, add=False)
    return out, total


def _part_backward(part: PlannedPart, query, key, value, out, total, grad, block: int, scale: float) -> list[Tensor]:
    batch, _, length, _ = query.shape
    keys = key.shape[2]
    order = part.sides.query_order
    query, out, grad, total = (in_blocks(each, order, block) for each in (query, out, grad, total[..., None]))
    key, value = (in_blocks(each, part.sides.key_order, block) for each in (key, value))
    tiles = _additive(part.tiles, query.dtype)
    grads = [torch.zeros_like(each) for each in (query, key, value)]
    for call in _calls(part, key):
        found = _backward(
            query_blocks(grad, call), query_blocks(query, call), key_blocks(key, call), key_blocks(value, call),
            query_blocks(out, call), query_blocks(total, call)[..., 0], 0.0, False,
            attn_mask=masks(tiles, call), scale=scale,
        )  # fmt: skip
        write_query_blocks(grads[0], call, found[0], add=False)
        add_key_blocks(grads[1], call, found[1])
        add_key_blocks(grads[2], call, found[2])
    lengths, orders = (length, keys, keys), (order, part.sides.key_order, part.sides.key_order)
    return [out_of_blocks(*each, batch, size) for *each, size in zip(grads, orders, lengths, strict=True)]


def _calls(part: PlannedPart, key: Tensor):
    heads, _, block, dim = key.shape
    for call in part.calls:
        yield from chunks(call, heads * block * dim)


def _merged(one: Tensor, one_total: Tensor, other: Tensor, other_total: Tensor) -> tuple[Tensor, Tensor]:
    total = torch.logaddexp(one_total, other_total)
    shift = total.masked_fill(total == -torch.inf, 0.0)
    weights = ((each - shift).exp()[..., None] for each in (one_total, other_total))
    out = sum(weight * each for weight, each in zip(weights, (one, other), strict=True))
    return out.to(one.dtype), total


def _additive(tiles: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.zeros(tiles.shape, dtype=dtype).masked_fill_(~tiles, -torch.inf)


def _total_dtype(query: Tensor) -> torch.dtype:
    return torch.float64 if query.dtype == torch.float64 else torch.float32
