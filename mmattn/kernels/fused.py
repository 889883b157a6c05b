"""Blockwise attention by torch's fused CPU kernel: one call for many blocks, forward and backward.

Parts are merged by their log-sum-exp (https://arxiv.org/abs/1805.02867): with L = log Σ exp s over all keys and Lₚ over
those of a part, out = Σₚ exp(Lₚ − L) outₚ. The backward of a part needs no more than L and out of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mmattn.biases import Added
from mmattn.kernels.biased import values
from mmattn.kernels.blocks import (
    add_key_blocks,
    chunks,
    exact_dtype,
    facts,
    in_blocks,
    key_blocks,
    out_of_blocks,
    query_blocks,
    tile_mask,
    write_query_blocks,
)
from mmattn.kernels.plan import Call, Plan, PlannedPart

_forward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


class Fused(torch.autograd.Function):
    """(query, key, value, plan, scale, bias) → out, shapes as in `Request`; the bias is added and learns nothing."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, plan: Plan, scale: float, bias: Any) -> Tensor:
        parts = [_Part(part, plan.block, len(plan.parts) > 1, scale, bias) for part in plan.parts]
        out, total = parts[0].forward(query, key, value)
        for part in parts[1:]:
            out, total = _merged(out, total, *part.forward(query, key, value))
        ctx.save_for_backward(query, key, value, out, total)
        ctx.parts = parts
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        first, *rest = (part.backward(grad, *ctx.saved_tensors) for part in ctx.parts)
        for part in rest:
            first = [one.add_(other) for one, other in zip(first, part, strict=True)]
        return *(each.to(grad.dtype) for each in first), None, None, None


class _Part:
    """A planned part of one request."""

    def __init__(self, part: PlannedPart, block: int, merged: bool, scale: float, bias: Added | None) -> None:
        self.sides, self.tiles, self.calls = part
        self.block, self.merged, self.scale, self.bias = block, merged, scale, bias

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Output (batch, heads, queries, dim), its log-sum-exp; 0 and −∞ where nothing is seen."""
        batch, _, length, _ = query.shape
        query, key, value = self._in_blocks([query], [key, value])
        out = torch.zeros_like(query)
        total = query.new_full(query.shape[:-1], -torch.inf, dtype=exact_dtype(query))
        for call, mask in self._masked_calls(key, query.shape[0]):
            inputs = query_blocks(query, call), key_blocks(key, call), key_blocks(value, call)
            seen, seen_total = _forward(*inputs, attn_mask=mask, scale=self.scale)
            if self.merged and mask is not None:  # the kernel says 0 for a row that sees nothing
                seen_total = seen_total.masked_fill(mask.amax(-1) == -torch.inf, -torch.inf)
            write_query_blocks(out, call, seen)
            write_query_blocks(total, call, seen_total)
        order = self.sides.query_order
        return out_of_blocks(out, order, batch, length), out_of_blocks(total, order, batch, length)

    def backward(
        self, grad: Tensor, query: Tensor, key: Tensor, value: Tensor, out: Tensor, total: Tensor
    ) -> list[Tensor]:
        """Gradients of query, key and value through this part, given out and log-sum-exp of the whole."""
        batch, sizes = query.shape[0], (query.shape[2], key.shape[2])
        query, out, grad, total, key, value = self._in_blocks([query, out, grad, total[..., None]], [key, value])
        # A key that many queries see gets many small terms, which a sum in half precision would lose.
        exact = exact_dtype(query)
        grads = [torch.zeros_like(each, dtype=exact) for each in (query, key, value)]
        for call, mask in self._masked_calls(key, query.shape[0]):
            found = _backward(
                query_blocks(grad, call), query_blocks(query, call), key_blocks(key, call), key_blocks(value, call),
                query_blocks(out, call), query_blocks(total, call)[..., 0], 0.0, False, attn_mask=mask,
                scale=self.scale,
            )  # fmt: skip
            write_query_blocks(grads[0], call, found[0].to(exact))
            add_key_blocks(grads[1], call, found[1].to(exact))
            add_key_blocks(grads[2], call, found[2].to(exact))
        order, key_order = self.sides.query_order, self.sides.key_order
        return [
            out_of_blocks(grads[0], order, batch, sizes[0]),
            out_of_blocks(grads[1], key_order, batch, sizes[1]),
            out_of_blocks(grads[2], key_order, batch, sizes[1]),
        ]

    def _in_blocks(self, queries: list[Tensor], keys: list[Tensor]) -> list[Tensor]:
        return [in_blocks(each, self.sides.query_order, self.block) for each in queries] + [
            in_blocks(each, self.sides.key_order, self.block) for each in keys
        ]

    def _masked_calls(self, key: Tensor, heads: int) -> Iterator[tuple[Call, Tensor | None]]:
        """The calls in pieces of bounded memory, with what is added to their scores."""
        tiles = torch.zeros(self.tiles.shape, dtype=key.dtype).masked_fill_(~self.tiles, -torch.inf)
        for whole in self.calls:
            shared = self.bias is not None and self.bias.by_distance and self._alike(whole)
            gathered = 0 if whole.even else key.shape[0] * self.block * key.shape[-1]
            written = heads * self.block**2 if self.bias is not None and not shared else 0
            own = self.block**2 if whole.tiles is not None and len(whole.tiles) > 1 else 0
            for call in chunks(whole, gathered + written + own):
                seen = tile_mask(tiles, call)
                if self.bias is not None:
                    one = call._replace(queries=call.queries[:1], keys=call.keys[:1]) if shared else call
                    added = values(self.bias, heads, *facts(one, self.sides, self.block, key.device)).to(key.dtype)
                    seen = added if seen is None else added + seen
                yield call, seen

    def _alike(self, call: Call) -> bool:
        """Whether the distances between queries and keys are the same in all blocks of the call."""
        query, key = facts(call, self.sides, self.block, torch.device("cpu"))
        first = query.order[:, :1]
        return all(bool((side.order - first == (side.order - first)[:1]).all()) for side in (query, key))


def _merged(one: Tensor, one_total: Tensor, other: Tensor, other_total: Tensor) -> tuple[Tensor, Tensor]:
    total = torch.logaddexp(one_total, other_total)
    shift = total.masked_fill(total == -torch.inf, 0.0)
    weight, other_weight = ((each - shift).exp()[..., None] for each in (one_total, other_total))
    return (weight * one + other_weight * other).to(one.dtype), total
