"""The slot of a layer that mixes tokens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor, nn

from mmattn.context import Context


class Mixer(nn.Module, ABC):
    """Mixes the tokens of each document. Padding is neither read nor trusted; what stands there afterwards is free."""

    @abstractmethod
    def forward(self, x: Tensor, context: Context) -> Tensor:
        """x (batch, length, dim) → the same shape."""

    @abstractmethod
    def step(self, x: Tensor, context: Context, state: Any) -> tuple[Tensor, Any]:
        """The next tokens x (batch, new, dim) of documents whose earlier tokens are in `state` (None at first).

        Equal to `forward` over all tokens at once. Returns the output and the new state; the old one stays valid.
        """
