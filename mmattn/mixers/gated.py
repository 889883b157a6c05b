"""A mixer that begins as nothing, so that a trained backbone can take it in (Flamingo, https://arxiv.org/abs/2204.14198)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from mmattn.context import Context
from mmattn.mixers.mixer import Mixer


class Gated(Mixer):
    """tanh(gate) · mixer(x), the gate being learned and 0 at first; `mixer` is a factory `dim -> Mixer`."""

    def __init__(self, dim: int, mixer: Callable[[int], Mixer]) -> None:
        super().__init__()
        self.mixer, self.gate = mixer(dim), nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, context: Context) -> Tensor:
        return self.gate.tanh() * self.mixer(x, context)

    def step(self, x: Tensor, context: Context, state: Any) -> tuple[Tensor, Any]:
        mixed, state = self.mixer.step(x, context, state)
        return self.gate.tanh() * mixed, state
