"""Blockwise attention written out, for what no fused kernel does: learned biases, soft caps, dropout, other devices.

Each call is computed again in the backward pass, so that the scores of one call are in memory at a time.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import dropout
from torch.utils.checkpoint import checkpoint

from mmattn.kernels.biased import biased
from mmattn.kernels.blocks import (
    chunks,
    exact_dtype,
    facts,
    in_blocks,
    key_blocks,
    out_of_blocks,
    query_blocks,
    tile_mask,
)
from mmattn.kernels.plan import Plan, PlannedPart
from mmattn.kernels.request import Request
from mmattn.patterns import Facts


def written(request: Request, plan: Plan) -> Tensor:
    """The same as `reference` over the plan's calls; shapes as in `Request`."""
    outs, totals = zip(*(_part(part, request, plan.block) for part in plan.parts), strict=True)
    if len(outs) == 1:
        return outs[0].to(request.value.dtype)
    total = torch.stack(totals)
    alive = (total > -torch.inf).any(0)
    weights = total.masked_fill(~alive, 0.0).softmax(0)  # exp(Lₚ − L), see `fused`
    return (weights[..., None] * torch.stack(outs)).sum(0).to(request.value.dtype)


def _part(part: PlannedPart, request: Request, block: int) -> tuple[Tensor, Tensor]:
    """Output (batch, heads, queries, width) and log-sum-exp (batch, heads, queries) of a part."""
    batch, heads, length, _ = request.query.shape
    query = in_blocks(request.query, part.sides.query_order, block)
    exact = exact_dtype(query)
    # Exact, so that the gradients of a key that many queries see are summed so.
    key, value = (in_blocks(each.to(exact), part.sides.key_order, block) for each in (request.key, request.value))
    tiles = part.tiles.to(query.device)
    # Query blocks that see nothing come first; the calls' follow.
    unseen = _unseen(part, query.shape[1])
    zeros = query.index_select(1, unseen.to(query.device)).transpose(0, 1).to(exact)[..., :1] * 0.0  # have a gradient
    outs = [zeros.expand(-1, -1, -1, value.shape[-1])]
    totals = [query.new_full((len(unseen), heads, block), -torch.inf, dtype=exact)]
    places = [unseen]
    for call in (each for whole in part.calls for each in chunks(whole._replace(even=None), heads * block**2)):
        known = facts(call, part.sides, block, query.device)
        compute = partial(_call, request=request, mask=tile_mask(tiles, call), facts=known, exact=exact)
        inputs = query_blocks(query, call), key_blocks(key, call), key_blocks(value, call)
        out, total = checkpoint(compute, *inputs, use_reentrant=False) if torch.is_grad_enabled() else compute(*inputs)
        outs.append(out)
        totals.append(total)
        places.append(call.queries)
    order = torch.cat(places).argsort().to(query.device)
    put = partial(out_of_blocks, order=part.sides.query_order, batch=batch, length=length)
    return put(torch.cat(outs)[order].transpose(0, 1)), put(torch.cat(totals)[order].transpose(0, 1))


def _unseen(part: PlannedPart, blocks: int) -> Tensor:
    unseen = torch.ones(blocks, dtype=torch.bool)
    for call in part.calls:
        unseen[call.queries] = False
    return unseen.nonzero()[:, 0]


def _call(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    request: Request,
    mask: Tensor | None,
    facts: tuple[Facts, Facts],
    exact: torch.dtype,
) -> tuple[Tensor, Tensor]:
    """Output (n, heads, block, width) and log-sum-exp (n, heads, block); 0 and −∞ for a query that sees nothing."""
    n, heads, block, _ = query.shape
    grouped = query.reshape(n, key.shape[1], -1, query.shape[-1])  # the queries of a key head, one after the other
    key, value = key.to(query.dtype), value.to(request.value.dtype)
    scores = (grouped @ key.mT).to(exact).view(n, heads, block, -1) * request.scale
    scores = biased(request.bias, scores, *facts)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    top = scores.detach().amax(-1, keepdim=True)
    weights = (scores - top.masked_fill(top == -torch.inf, 0.0)).exp()
    total = weights.sum(-1, keepdim=True)
    alive = total > 0
    total = total.where(alive, 1.0)
    weights = dropout(weights / total, request.dropout).to(value.dtype)
    out = (weights.view(n, key.shape[1], -1, weights.shape[-1]) @ value).view(n, heads, block, -1)
    return out.to(exact), (top + total.log()).masked_fill(~alive, -torch.inf)[..., 0]
