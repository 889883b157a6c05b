"""torch's fused kernels, behind scaled_dot_product_attention."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from mmattn.biases import Added, learns
from mmattn.kernels.biased import toeplitz, values
from mmattn.kernels.lowered import lowered
from mmattn.kernels.request import Kernel, Request
from mmattn.patterns import Causal, Full, Visibility


def sdpa(request: Request) -> Tensor:
    """The same as `reference`, fused: without a mask where the rows are plain and full or causal, else with it."""
    query, key, value, visibility, scale, bias, dropout = request
    grouped, causal = query.shape[1] != key.shape[1], type(visibility.pattern) is Causal
    if visibility.needs_no_mask and bias is None:
        return scaled_dot_product_attention(query, key, value, None, dropout, causal, scale=scale, enable_gqa=grouped)
    query, key, value, *_ = request = lowered(request)
    bias = cast(Added, request.bias)  # or None; others were refused
    told: dict[str, Any] = {"scale": scale, "dropout_p": dropout, "enable_gqa": grouped}
    if visibility.needs_no_mask and is_toeplitz(request):
        mask = toeplitz(bias, query.shape[1], visibility.queries, later=not causal, dtype=query.dtype)
        return scaled_dot_product_attention(query.flip(2), key, value, attn_mask=mask, **told).flip(2)
    mask, alive = _mask(visibility)
    if bias is not None:
        added = values(bias, query.shape[1], *visibility.facts).to(query.dtype)
        mask = added.masked_fill(~mask, -torch.inf)
    if alive is None:
        return scaled_dot_product_attention(query, key, value, attn_mask=mask, **told)
    # What stands at padding may make scores so large that the backward pass, which makes weights again, overflows.
    query = query.masked_fill(~alive, 0.0)
    return scaled_dot_product_attention(query, key, value, attn_mask=mask, **told).masked_fill(~alive, 0.0)


def is_toeplitz(request: Request) -> bool:
    """Whether its bias is by distance, over one run of tokens without gaps, and has no gradient to receive."""
    bias, info = request.bias, request.visibility.queries
    if not (isinstance(bias, Added) and bias.by_distance) or learns(bias) or not info.order.is_cpu:
        return False
    row = torch.arange(info.order.shape[1])
    return len(row) > 0 and request.visibility.kept("without gaps", lambda: bool((info.order == row).all()))


def _mask(visibility: Visibility) -> tuple[Tensor, Tensor | None]:
    """The mask, and the rows that see something (batch, 1, queries, 1), None where all are known to.

    torch's kernels disagree about a row that sees nothing: the mask lets it see all, and what it makes is zeroed.
    """

    def make() -> tuple[Tensor, Tensor | None]:
        own, layout = visibility.keys is visibility.queries, visibility.queries.layout
        if own and layout.one_document and type(visibility.pattern) is Full:  # one mask for all queries of a row
            real = visibility.queries.real
            return (real | ~real.any(1, keepdim=True))[:, None, None], real[:, None, :, None]
        alive = visibility.mask.any(-1, keepdim=True)
        if alive.is_cpu and bool(alive.all()):
            return visibility.mask, None
        return visibility.mask | ~alive, alive

    return visibility.kept("sdpa", make)


def _refusal(request: Request) -> str | None:
    if request.bias is not None and not isinstance(request.bias, Added):
        name = type(request.bias).__name__
        return f"torch's fused kernels add to scores, and {name} does something else to them; choose kernel=blockwise."
    return None


KERNEL = Kernel(
    "sdpa", "torch's fused kernels, with a dense mask where the pattern needs one; biases that add", sdpa, _refusal
)
