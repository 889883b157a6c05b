"""Linear attention that corrects what its state holds of a key, where others only add to it."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor, nn

from mmattn.context import Context
from mmattn.mixers.behind_padding import Recent
from mmattn.mixers.scanning import Scanning, check_heads, merge, split
from mmattn.mixers.short_convolution import ShortConvolution
from mmattn.scans import Segments, delta, single


class Corrected(NamedTuple):
    """The state (batch, heads, width, width), and the last tokens of queries, keys and values."""

    state: Tensor | None
    recent: tuple[Recent | None, ...]


class DeltaRule(Scanning):
    """Sₜ = Sₜ₋₁ + βₜ kₜ (vₜ − Sₜ₋₁ᵀkₜ)ᵀ, yₜ = Sₜᵀqₜ, out(norm(y)) (DeltaNet, https://arxiv.org/abs/2406.06484).

    Queries and keys have length 1; these and values are made by short convolutions; βₜ = sigmoid(Wx).

    Args:
        dim: model width.
        heads: each with a state of its own.
        convolution: tokens that the short convolutions see.
        chunk: tokens that read each other directly: speed and memory, not the result.
    """

    def __init__(self, dim: int, heads: int, *, convolution: int = 4, chunk: int = 64) -> None:
        super().__init__()
        check_heads(heads, chunk, dim=dim)
        self.heads, self.chunk = heads, chunk
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim, bias=False) for _ in range(4))
        self.convolutions = nn.ModuleList(ShortConvolution(dim, convolution, bias=False) for _ in range(3))
        self.rate = nn.Linear(dim, heads, bias=False)
        self.norm = nn.RMSNorm(dim // heads)

    def run(self, x: Tensor, context: Context, segments: Segments, state: Any) -> tuple[Tensor, Corrected]:
        old = Corrected(None, (None, None, None)) if state is None else state
        projections = self.query, self.key, self.value
        made = [
            near(project(x), context.info, recent)
            for project, near, recent in zip(projections, self.convolutions, old.recent, strict=True)
        ]
        query, key, value = (split(each, self.heads) for each, _ in made)
        rate = self.rate(x).sigmoid().mT
        query, key = unit(query), unit(key)
        y, new = delta(query, key, value, rate, segments, old.state, self.chunk)
        return self.out(merge(self.norm(y))), Corrected(new, tuple(recent for _, recent in made))


def unit(x: Tensor) -> Tensor:
    """x / |x| over the last dimension; near 0 it and its gradient stay small."""
    return (single(x) * (single(x).square().sum(-1, keepdim=True) + 1e-6).rsqrt()).to(x.dtype)
