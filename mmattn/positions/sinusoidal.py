"""Fixed waves added to the embeddings (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762)."""

from __future__ import annotations

import torch
from torch import Tensor

from mmattn.errors import ConfigError
from mmattn.positions.position import Position
from mmattn.sequence import TokenInfo


class Sinusoidal(Position):
    """Adds sines and cosines of the coordinates; with several axes each has its share of the width.

    A token without a place gets nothing.
    """

    def __init__(self, axes: int = 1, base: float = 10_000.0) -> None:
        super().__init__()
        self.axes, self.base = axes, base

    def embed(self, embeddings: Tensor, info: TokenInfo) -> Tensor:
        axes, dim = info.coordinates.shape[-1], embeddings.shape[-1]
        if axes != self.axes:
            raise ConfigError(f"position.axes={self.axes}, but these tokens have {axes} coordinate axes.")
        waves = dim // 2 // axes
        if waves == 0:
            raise ConfigError(
                f"a width of {dim} holds no wave for each of {axes} axes; it must be at least {2 * axes}."
            )
        step = torch.arange(waves, device=embeddings.device, dtype=torch.float32) / waves
        angle = (info.coordinates.float()[..., None] * self.base**-step).flatten(-2)
        table = torch.cat([angle.sin(), angle.cos()], -1)
        table = torch.nn.functional.pad(table, (0, dim - table.shape[-1]))
        return embeddings + table.to(embeddings.dtype) * placed(info)


def placed(info: TokenInfo) -> Tensor:
    """bool (batch, length, 1): a real token that has a place in its grid."""
    return ((info.coordinates >= 0).all(-1) & info.real)[..., None]
