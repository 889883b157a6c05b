"""The weights of some queries by the formula, whatever kernel made the output."""

from __future__ import annotations

import torch
from torch import Tensor

from mmattn.biases import Bias
from mmattn.kernels.reference import visible_softmax
from mmattn.patterns import Facts, Visibility
from mmattn.patterns.visibility import sees


def probabilities(
    query: Tensor, key: Tensor, visibility: Visibility, scale: float, bias: Bias | None, heads: Tensor, rows: Tensor
) -> Tensor:
    """softmax(bias(QKᵀ · scale)) over the visible keys: (batch, heads, rows, keys), in float32 at least.

    query (batch, heads, rows, head_dim) and key (batch, heads, keys, head_dim) of the heads with the numbers `heads`
    and of the queries at `rows`. A query that sees nothing has weights of 0. The mask of these rows alone is built.
    """
    exact = torch.float64 if query.dtype == torch.float64 else torch.float32
    queries = Facts(visibility.queries, lambda fact: fact[:, rows].unsqueeze(2))
    keys = Facts(visibility.keys, lambda fact: fact.unsqueeze(1))
    with torch.autocast(query.device.type, enabled=False):
        scores = query.to(exact) @ key.to(exact).mT * scale
        if bias is not None:
            scores = bias(scores, heads[:, None, None], queries.beside_heads, keys.beside_heads)
        return visible_softmax(scores, sees(visibility.pattern, queries, keys)[:, None])
