"""Two mixers, one from the first token to the last and one back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from mmattn.context import Context
from mmattn.errors import ConfigError
from mmattn.mixers.mixer import Mixer
from mmattn.scans import Segments
from mmattn.sequence import TokenInfo


class BothWays(Mixer):
    """there(x) + back(x from the last token to the first): what looks back alone then sees the whole document.

    Args:
        dim: model width.
        mixer: a factory `dim -> Mixer` of each way.
    """

    def __init__(self, dim: int, mixer: Callable[[int], Mixer]) -> None:
        super().__init__()
        self.there, self.back = mixer(dim), mixer(dim)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        turned = context.kept(BothWays, partial(_turned, context))
        return self.there(x, context) + self.back(x.flip(1), turned).flip(1)

    def step(self, x: Tensor, context: Context, state: Any) -> tuple[Tensor, Any]:
        """Raises `ConfigError`: later tokens are not there yet."""
        raise ConfigError("A mixer of both ways has no next step; take its mixer alone.")


def _turned(context: Context, info: TokenInfo) -> Context:
    """The tokens from the last to the first, each counted from its document's end."""
    flipped = info.map(lambda fact: fact.flip(1))
    number = Segments.of(flipped.document).number
    largest = flipped.order.new_zeros(len(number), number.shape[1] + 1)
    largest = largest.scatter_reduce(1, number, flipped.order.masked_fill(~flipped.real, 0), "amax")
    order = torch.where(flipped.real, largest.gather(1, number) - flipped.order, 0)
    known = info.known_layout
    if known is not None:
        known = replace(known, side="right" if known.side == "left" else "left")
    turned = replace(flipped, order=order, known_layout=known)
    return Context(turned, context.position, context.memory, context.condition)
