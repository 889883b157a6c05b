"""The part of a layer that works on each token alone."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.functional import gelu, silu

Activation = Callable[[Tensor], Tensor]


class MLP(nn.Module):
    """out(activation(in(x))) with a hidden width of `ratio` · dim."""

    def __init__(self, dim: int, ratio: float = 4.0, activation: Activation = gelu, bias: bool = True) -> None:
        super().__init__()
        hidden = round(dim * ratio)
        self.expand, self.contract = nn.Linear(dim, hidden, bias=bias), nn.Linear(hidden, dim, bias=bias)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.contract(self.activation(self.expand(x)))


class GatedMLP(nn.Module):
    """contract(activation(gate(x)) · expand(x)): SwiGLU with silu (https://arxiv.org/abs/2002.05202).

    The default ratio has as many parameters as `MLP` with 4.
    """

    def __init__(self, dim: int, ratio: float = 8 / 3, activation: Activation = silu, bias: bool = False) -> None:
        super().__init__()
        hidden = round(dim * ratio)
        self.gate, self.expand = nn.Linear(dim, hidden, bias=bias), nn.Linear(dim, hidden, bias=bias)
        self.contract = nn.Linear(hidden, dim, bias=bias)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        return self.contract(self.activation(self.gate(x)) * self.expand(x))
