"""Rotary positions over any number of axes (RoFormer, https://arxiv.org/abs/2104.09864)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mmattn.errors import ConfigError
from mmattn.positions.position import Position, Rotation
from mmattn.sequence import TokenInfo


class Rotary(Position):
    """Turns pairs of query and key channels by angles that grow with the coordinate, so that scores see differences.

    Args:
        axes: coordinate axes; the head's channel pairs are shared out evenly, a remainder is not turned.
        base: the slowest wavelength is about 2π · base tokens (10,000 for text, less for a small grid).
        scales: multiplies the coordinates of each axis, e.g. seconds a frame; default 1.
    """

    def __init__(self, axes: int = 1, base: float = 10_000.0, scales: Sequence[float] | None = None) -> None:
        super().__init__()
        if scales is not None and len(scales) != axes:
            raise ConfigError(f"position.scales has {len(scales)} entries for {axes} axes.")
        self.axes, self.base, self.scales = axes, base, tuple(scales or [1.0] * axes)

    def rotation(self, info: TokenInfo, head_dim: int) -> Rotation:
        if info.coordinates.shape[-1] != self.axes:
            raise ConfigError(
                f"position.axes={self.axes}, but these tokens have {info.coordinates.shape[-1]} coordinate axes; set "
                f"position.axes={info.coordinates.shape[-1]}."
            )
        pairs = head_dim // 2 // self.axes
        if pairs == 0 or head_dim % 2:
            raise ConfigError(f"a head width of {head_dim} cannot be turned along {self.axes} axes; it must be even.")
        device = info.coordinates.device
        frequency = self.base ** -(torch.arange(pairs, device=device, dtype=torch.float32) / pairs)
        coordinates = info.coordinates.clamp(min=0).float().unbind(-1)  # a token without a place is not turned
        place = torch.stack([along * scale for along, scale in zip(coordinates, self.scales, strict=True)], -1)
        angle = (place[..., None] * frequency).flatten(-2)  # (batch, length, axes · pairs)
        angle = torch.nn.functional.pad(angle, (0, head_dim // 2 - angle.shape[-1]))[:, None]
        return Rotation(angle.cos(), angle.sin())


def rotate(x: Tensor, rotation: Rotation | None) -> Tensor:
    """x (batch, heads, length, head_dim), channel i turned with channel i + head_dim / 2; unchanged without tables."""
    if rotation is None:
        return x
    cosine, sine = (table.to(x.dtype) for table in rotation)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)
