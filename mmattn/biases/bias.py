"""A bias: attention scores changed by what is known about the query token and the key token."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from mmattn.patterns import Facts


class Bias(nn.Module, ABC):
    """Changes scores before the softmax; a function of the scores, the head and facts of both sides.

    It is read on tensors and on one pair of tokens at a time (FlexAttention's `score_mod`): `forward` uses elementwise
    operations, and indexing of its own tensors.

    heads: the number of query heads that it is made for; None: any.
    """

    heads: int | None = None

    @abstractmethod
    def forward(self, scores: Tensor, head: Tensor, query: Facts, key: Facts) -> Tensor:
        """Scores (…, heads, queries, keys) changed; head (heads, 1, 1), facts broadcast against the scores."""


class Added(Bias):
    """A bias that adds values to the scores, whatever they are.

    by_distance: the values depend on the head and on order(query) − order(key) alone, so that they need not be computed
    for every pair.
    """

    by_distance = False

    @abstractmethod
    def values(self, head: Tensor, query: Facts, key: Facts) -> Tensor:
        """What is added, of a shape that broadcasts against the scores."""

    def forward(self, scores: Tensor, head: Tensor, query: Facts, key: Facts) -> Tensor:
        return scores + self.values(head, query, key).to(scores.dtype)


def head_numbers(heads: int, device: torch.device) -> Tensor:
    """(heads, 1, 1)"""
    return torch.arange(heads, device=device)[:, None, None]


def learns(bias: Any) -> bool:
    """Whether gradients have to reach the bias."""
    return bias is not None and torch.is_grad_enabled() and any(each.requires_grad for each in bias.parameters())
