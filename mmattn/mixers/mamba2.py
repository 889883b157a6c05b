"""A state-space model whose state fades by one number a token and head."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import silu, softplus

from mmattn.context import Context
from mmattn.errors import ConfigError
from mmattn.limits import said, whole, within
from mmattn.mixers.behind_padding import Recent
from mmattn.mixers.scanning import Scanning
from mmattn.mixers.short_convolution import ShortConvolution
from mmattn.scans import Segments, decayed

SHORTEST, LONGEST = 1e-3, 0.1
"""Time steps at the beginning, spread evenly over their logarithms."""


class Scanned(NamedTuple):
    """The state (batch, groups, heads a group, state, head_dim), and the last tokens before the convolution."""

    state: Tensor | None
    recent: Recent | None


class Mamba2(Scanning):
    """Sₜ = exp(Δₜ A) Sₜ₋₁ + Δₜ Bₜ xₜᵀ, yₜ = Sₜᵀ Cₜ + D xₜ, out(norm(y · silu(z))) (https://arxiv.org/abs/2405.21060).

    x, B and C come through a short convolution, Δₜ = softplus(Wu + b) is a head's time step, A < 0 and D are learned.

    Args:
        dim: model width.
        expand: inner width, in `dim`s.
        head_dim: width of a head, dividing the inner width.
        state: width of B and C: numbers that a state holds for each of a head's channels.
        groups: heads of a group share B and C.
        convolution: tokens that the short convolution sees.
        fading: ends of the range from which a head's −A is drawn: with those published most heads forget within tens of
            tokens until they have learned otherwise.
        chunk: tokens that read each other directly: speed and memory, not the result.
    """

    def __init__(
        self,
        dim: int,
        *,
        expand: int = 2,
        head_dim: int = 64,
        state: int = 64,
        groups: int = 1,
        convolution: int = 4,
        fading: Sequence[float] = (1, 16),
        chunk: int = 64,
    ) -> None:
        super().__init__()
        for name, value in {"expand": expand, "head_dim": head_dim, "state": state, "groups": groups}.items():
            whole(name, value, 1)
        whole("chunk", chunk, 1)
        inner = expand * dim
        if not isinstance(fading, Sequence) or isinstance(fading, str) or len(fading) != 2:
            raise ConfigError(f"fading={said(fading)} must be a pair [least, most] of numbers above 0.")
        low, high = fading
        within("the lower end of fading", low, above=0, below=math.inf)
        within("the upper end of fading", high, least=low, below=math.inf)
        if inner % head_dim:
            raise ConfigError(
                f"head_dim={head_dim} does not divide the inner width {inner} (expand={expand} times dim={dim})."
            )
        heads = inner // head_dim
        if heads % groups:
            raise ConfigError(f"groups={groups} does not divide the {heads} heads (inner width / head_dim).")
        self.groups, self.head_dim, self.chunk = groups, head_dim, chunk
        self.sizes = [inner, inner + 2 * groups * state, heads]
        self.enter = nn.Linear(dim, sum(self.sizes), bias=False)
        self.convolution = ShortConvolution(self.sizes[1], convolution)
        self.log_rate = nn.Parameter(torch.empty(heads).uniform_(*fading).log())  # A = −exp
        self.skip = nn.Parameter(torch.ones(heads))  # D
        first = torch.empty(heads).uniform_(math.log(SHORTEST), math.log(LONGEST)).exp()
        self.time = nn.Parameter(first + torch.log(-torch.expm1(-first)))  # the inverse of softplus
        self.norm = nn.RMSNorm(inner // groups, eps=1e-5, elementwise_affine=False)  # each group alone, as published
        self.scale = nn.Parameter(torch.ones(inner))
        self.out = nn.Linear(inner, dim, bias=False)

    def run(self, x: Tensor, context: Context, segments: Segments, state: Any) -> tuple[Tensor, Scanned]:
        old = Scanned(None, None) if state is None else state
        z, u, time = self.enter(x).split(self.sizes, -1)
        u, recent = self.convolution(u, context.info, old.recent)
        inner = len(self.skip) * self.head_dim
        u, keys, queries = u.split([inner, *2 * [(u.shape[-1] - inner) // 2]], -1)
        query, key = (each.unflatten(-1, (self.groups, -1)).transpose(1, 2) for each in (queries, keys))
        u = self._heads(u.unflatten(-1, (-1, self.head_dim)))
        time = self._heads(softplus(time + self.time)[..., None])
        fades = -self.log_rate.exp().view(self.groups, -1, 1) * time[..., 0]
        y, new = decayed(query, key, u * time, fades, segments, old.state, self.chunk)
        y = y + self.skip.view(self.groups, -1, 1, 1) * u
        y = y.flatten(1, 2).transpose(1, 2).flatten(-2)
        y = self.norm((y * silu(z)).unflatten(-1, (self.groups, -1))).flatten(-2)
        return self.out(self.scale * y), Scanned(new, recent)

    def _heads(self, x: Tensor) -> Tensor:
        """(batch, length, heads, size) → (batch, groups, heads a group, length, size)."""
        return x.unflatten(2, (self.groups, -1)).movedim(1, 3)
