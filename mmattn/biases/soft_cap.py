"""Scores that cannot grow beyond a cap (Gemma 2, https://arxiv.org/abs/2408.00118)."""

from __future__ import annotations

import math

from torch import Tensor

from mmattn.biases.bias import Bias
from mmattn.errors import ConfigError
from mmattn.patterns import Facts


class SoftCap(Bias):
    """cap · tanh(score / cap)"""

    def __init__(self, heads: int | None = None, *, cap: float = 50.0) -> None:
        super().__init__()
        if not 0 < cap < math.inf:
            raise ConfigError(f"bias SoftCap: cap={cap} must be a positive number.")
        self.heads, self.cap = heads, cap

    def forward(self, scores: Tensor, head: Tensor, query: Facts, key: Facts) -> Tensor:
        return self.cap * (scores / self.cap).tanh()
