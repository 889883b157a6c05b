"""A case at a length, and the work that is timed: attention forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from mmattn.benchmarks.cases import CASES
from mmattn.biases import Added
from mmattn.patterns import Pattern, Visibility
from mmattn.sequence import TokenInfo

HEADS, HEAD_DIM = 4, 64

# (query, key, value) → out, each (1, HEADS, length, HEAD_DIM)
Attend = Callable[[Tensor, Tensor, Tensor], Tensor]


class Problem(NamedTuple):
    """What one side has to compute; masks, plans and biases are not made yet."""

    pattern: Pattern
    info: TokenInfo
    make_bias: Callable[[int], Added] | None

    @staticmethod
    def of(case: str, length: int) -> Problem:
        chosen = CASES[case]
        return Problem(chosen.pattern(length), chosen.info(length), chosen.bias)

    @property
    def length(self) -> int:
        return self.info.order.shape[1]

    def visibility(self) -> Visibility:
        """A new one, of which nothing is known yet."""
        return Visibility(self.pattern, self.info)

    def bias(self) -> Added | None:
        return None if self.make_bias is None else self.make_bias(HEADS)


class Inputs(NamedTuple):
    """query, key and value, and the gradient that comes back to the output."""

    query: Tensor
    key: Tensor
    value: Tensor
    gradient: Tensor


def make_inputs(length: int, tokens_first: bool) -> Inputs:
    """float32 (1, HEADS, length, HEAD_DIM), normal, seed 0; `tokens_first`: in memory a token's heads lie together."""
    generator = torch.Generator().manual_seed(0)

    def normal() -> Tensor:
        if tokens_first:
            return torch.randn(1, length, HEADS, HEAD_DIM, generator=generator).transpose(1, 2)
        return torch.randn(1, HEADS, length, HEAD_DIM, generator=generator)

    query, key, value = (normal().requires_grad_() for _ in range(3))
    return Inputs(query, key, value, normal())


def forward_backward(attend: Attend, inputs: Inputs) -> tuple[Tensor, ...]:
    """The output, and the gradients of query, key and value."""
    query, key, value, gradient = inputs
    out = attend(query, key, value)
    return out.detach(), *torch.autograd.grad(out, (query, key, value), gradient)
