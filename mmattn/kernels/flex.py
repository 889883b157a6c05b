"""FlexAttention (https://arxiv.org/abs/2412.05496): a pattern and a bias compiled into one kernel over live blocks.

It trains on CUDA. A CPU takes seconds to compile it and has no backward for it, so `auto` takes it on CUDA only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from mmattn.biases import Bias
from mmattn.kernels.flex_blocks import BLOCK, Lists, lists, live_blocks
from mmattn.kernels.flex_refusal import refusal
from mmattn.kernels.lowered import lowered
from mmattn.kernels.request import Kernel, Request
from mmattn.patterns import Pattern, Visibility
from mmattn.patterns.flat import padded
from mmattn.patterns.visibility import sees
from mmattn.sequence import TokenInfo

# What torch.compile has to know: a kernel is kept for each pattern, bias, dtype and, where shapes are fixed, shape; and
# the numbers in patterns and biases are part of the kernel (it would take numbers that have changed for unknowns).
SETTINGS = {"recompile_limit": 256, "specialize_int": True, "specialize_float": True}


class Tokens(NamedTuple):
    """What `Facts` offers, read at once: torch.compile cannot trace what is read when it is asked for."""

    order: Any
    document: Any
    modality: Any
    is_global: Any
    coordinates: Mapping[int, Any]
    extra: Mapping[str, Any]

    @staticmethod
    def of(info: TokenInfo) -> Tokens:
        info = info.map(Tensor.contiguous)  # torch 2.14 compiles no kernel for a CPU that reads strided facts
        coordinates = {axis: fact.contiguous() for axis, fact in enumerate(info.coordinates.unbind(-1))}
        return Tokens(info.order, info.document, info.modality, info.is_global, coordinates, dict(info.extra))

    def at(self, row: Tensor, place: Tensor) -> Any:
        """The facts of one token; to be taken for `Facts`."""
        return Tokens(
            self.order[row, place],
            self.document[row, place],
            self.modality[row, place],
            self.is_global[row, place],
            {axis: fact[row, place] for axis, fact in self.coordinates.items()},
            {name: fact[row, place] for name, fact in self.extra.items()},
        )


class Told(NamedTuple):
    """What the kernel is told of a visibility."""

    blocks: Lists
    queries: Tokens
    keys: Tokens


def flex(request: Request) -> Tensor:
    """The same as `reference`; time and memory follow the pairs of blocks of 128 tokens that see one another."""
    visibility, length = request.visibility, request.query.shape[2]
    inputs = [_whole_blocks(each) for each in lowered(request)[:3]]
    if request.query.is_cpu:
        inputs = [each.detach() for each in inputs]  # torch refuses what could train even where nothing is trained
    told = visibility.kept("flex", lambda: _told(visibility))
    with torch._dynamo.config.patch(SETTINGS):
        out = _compiled(request.query.device.type)(*inputs, told, visibility.pattern, request.bias, request.scale)
    return out[:, :, :length]


def _told(visibility: Visibility) -> Told:
    device = visibility.queries.order.device
    blocks = lists(live_blocks(visibility), visibility.queries.order.shape[0])
    queries = Tokens.of(padded(visibility.queries, BLOCK))
    # Always one object in self-attention: torch.compile makes a kernel of its own for inputs that are the same.
    keys = queries if visibility.keys is visibility.queries else Tokens.of(padded(visibility.keys, BLOCK))
    return Told(Lists(*(each.to(device) for each in blocks)), queries, keys)


def _whole_blocks(heads: Tensor) -> Tensor:
    """(batch, heads, length, width), the length padded to whole blocks: few shapes are compiled, and no edges."""
    return pad(heads, (0, 0, 0, -heads.shape[2] % BLOCK))


def _attention(
    query: Tensor, key: Tensor, value: Tensor, told: Told, pattern: Pattern, bias: Bias | None, scale: float
) -> Tensor:
    from torch.nn.attention.flex_attention import BlockMask, flex_attention

    def mask(row: Tensor, head: Tensor, i: Tensor, j: Tensor) -> Tensor:
        return sees(pattern, told.queries.at(row, i), told.keys.at(row, j))

    def biased(score: Tensor, row: Tensor, head: Tensor, i: Tensor, j: Tensor) -> Tensor:
        return score if bias is None else bias(score, head, told.queries.at(row, i), told.keys.at(row, j))

    lengths, grouped = (query.shape[2], key.shape[2]), query.shape[1] != key.shape[1]
    block_mask = BlockMask(lengths, *told.blocks, BLOCK_SIZE=(BLOCK, BLOCK), mask_mod=mask)  # type: ignore[misc]
    return flex_attention(query, key, value, biased, block_mask, scale, enable_gqa=grouped)


@cache
def _compiled(device: str) -> Callable[..., Tensor]:
    # On a CPU, torch 2.14 makes C++ of some kernels for shapes to come that does not compile (it takes a symbol's name
    # for the beginning of another's), so that shapes are fixed there.
    return torch.compile(_attention, fullgraph=True, dynamic=False if device == "cpu" else None)


KERNEL = Kernel("flex", "FlexAttention: compiled for a pattern and bias, over live blocks", flex, refusal)
