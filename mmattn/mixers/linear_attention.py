"""Attention whose weights are products of features, so that all earlier tokens are a sum."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmattn.context import Context
from mmattn.errors import ConfigError
from mmattn.mixers.scanning import Held, Scanning, check_heads, merge, split
from mmattn.positions import rotate
from mmattn.scans import Segments, decayed, single


class LinearAttention(Scanning):
    """yₜ = Σₛ φ(qₜ)ᵀφ(kₛ) vₛ / Σₛ φ(qₜ)ᵀφ(kₛ) with φ = elu + 1 (https://arxiv.org/abs/2006.16236).

    φ is computed so that it stays positive where elu has rounded to −1. Rotary positions turn the features above the
    line, not below it (https://arxiv.org/abs/2104.09864).

    Args:
        dim: model width.
        heads: each with a state of its own.
        both_ways: tokens read later ones, too; such a layer is not causal and has no step.
        bias: of the projections.
        chunk: tokens that read each other directly: speed and memory, not the result.
    """

    def __init__(self, dim: int, heads: int, *, both_ways: bool = False, bias: bool = True, chunk: int = 64) -> None:
        super().__init__()
        check_heads(heads, chunk, dim=dim)
        self.heads, self.both_ways, self.chunk = heads, both_ways, chunk
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim, bias=bias) for _ in range(4))

    def step(self, x: Tensor, context: Context, state: Held | None) -> tuple[Tensor, Held]:
        """Raises `ConfigError` for a layer that goes both ways: later tokens are not there yet."""
        if self.both_ways:
            raise ConfigError("Linear attention that goes both ways has no next step; set both_ways=false.")
        return super().step(x, context, state)

    def run(self, x: Tensor, context: Context, segments: Segments, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """The state is Σ φ(k) [v 1]ᵀ of earlier tokens, (batch, heads, 1, width, width + 1)."""
        query, key = (features(split(project(x), self.heads)) for project in (self.query, self.key))
        value = split(self.value(x), self.heads)
        kind, value = value.dtype, single(value)  # the sums below the line outgrow half precision
        value = torch.cat([value, torch.ones_like(value[..., :1])], -1)  # what is below is the sum of ones
        rotation, columns = context.rotation(query.shape[-1]), [value.shape[-1] - 1, 1]
        if rotation is None:
            y, new = self._sum(query, key, value, segments, state)
            above, below = y.split(columns, -1)
        else:  # other features are above than below, so each side is a sum of its own
            values, ones = value.split(columns, -1)
            old_values, old_ones = (None, None) if state is None else state.split(columns, -1)
            above, new_values = self._sum(rotate(query, rotation), rotate(key, rotation), values, segments, old_values)
            below, new_ones = self._sum(query, key, ones, segments, old_ones)
            new = torch.cat([new_values, new_ones], -1)
        below = torch.where(segments.real[:, None, :, None], below, 1)  # padding may have nothing behind it
        return self.out(merge((above / below).to(kind))), new

    def _sum(
        self, query: Tensor, key: Tensor, value: Tensor, segments: Segments, state: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Σₛ (qₜᵀkₛ) vₛ of all tokens s that t reads (batch, heads, length, size), and Σ k vᵀ of the last document."""
        y, state = decayed(query, key, value[:, :, None], None, segments, state, self.chunk)
        y = y[:, :, 0]
        if self.both_ways:
            query, key, value = (each.flip(2) for each in (query, key, value))
            later, _ = decayed(query, key, value[:, :, None], None, segments.flip(), chunk=self.chunk)
            own = (query * key).sum(-1, keepdim=True) * value  # is in both
            y = y + (later[:, :, 0] - own).flip(2)
        return y, state


def features(x: Tensor) -> Tensor:
    """elu(x) + 1, in single precision at least."""
    x = single(x)
    return x.clamp(max=0).exp() + x.clamp(min=0)
