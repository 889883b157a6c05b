"""Biases read on tensors."""

from __future__ import annotations

import torch
from torch import Tensor

from mmattn.biases import Added, Bias, head_numbers
from mmattn.patterns import Facts
from mmattn.sequence import TokenInfo


def biased(bias: Bias | None, scores: Tensor, query: Facts, key: Facts) -> Tensor:
    """Scores (batch, heads, queries, keys) as the bias leaves them; facts (batch, queries, 1) and (batch, 1, keys)."""
    if bias is None:
        return scores
    return bias(scores, head_numbers(scores.shape[1], scores.device), query.beside_heads, key.beside_heads)


def values(bias: Added, heads: int, query: Facts, key: Facts) -> Tensor:
    """What the bias adds, (batch or 1, heads, queries, keys); facts as in `biased`."""
    device = query.order.device
    return bias.values(head_numbers(heads, device), query.beside_heads, key.beside_heads)


def toeplitz(bias: Added, heads: int, info: TokenInfo, later: bool, dtype: torch.dtype) -> Tensor:
    """The values of a bias by distance for tokens 0, 1, 2, …, the queries **in reverse**: (1, heads, length, length).

    With the queries reversed, what a pair shares with its neighbour along a diagonal lies one place further in both
    directions, so all pairs are a view of one vector of 2 · length − 1 values a head. `later`: queries see later keys.
    """
    length = info.order.shape[1]
    distance = torch.arange(length - 1, -length, -1, device=info.order.device)  # of query and key, from the last query
    zeros = torch.zeros_like(distance)
    known = TokenInfo(distance[None], zeros[None, :, None], zeros[None], zeros[None], zeros[None].bool())
    start = known.map(lambda fact: torch.zeros_like(fact[:, :1]))
    row = values(
        bias, heads, Facts(known, lambda fact: fact.unsqueeze(1)), Facts(start, lambda fact: fact.unsqueeze(2))
    )
    row = row.expand(1, heads, 1, -1)[0, :, 0]
    if not later:
        row = row.masked_fill(distance < 0, -torch.inf)
    return row.to(dtype).contiguous().as_strided((1, heads, length, length), (0, row.shape[1], 1, 1))
