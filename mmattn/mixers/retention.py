"""Linear attention whose heads forget, each at a fixed rate of its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from mmattn.context import Context
from mmattn.mixers.scanning import Scanning, check_heads, merge, split
from mmattn.positions import rotate
from mmattn.scans import Segments, decayed, single


class Retention(Scanning):
    """Sₜ = γ Sₜ₋₁ + kₜvₜᵀ, yₜ = Sₜᵀqₜ, out(silu(gate) · norm(y)) (RetNet, https://arxiv.org/abs/2307.08621).

    Head h forgets with γ = 1 − 2^−(5 + h), keys are divided by √d, and the position turns queries and keys, as in the
    paper, where it is rotary.

    Args:
        dim: model width.
        heads: each with a state, a rate and a norm of its own.
        chunk: tokens that read each other directly: speed and memory, not the result.
    """

    def __init__(self, dim: int, heads: int, *, chunk: int = 64) -> None:
        super().__init__()
        check_heads(heads, chunk, dim=dim)
        self.heads, self.chunk, self.scale = heads, chunk, (dim // heads) ** -0.5
        self.query, self.key, self.value, self.gate, self.out = (nn.Linear(dim, dim, bias=False) for _ in range(5))
        self.norm = nn.RMSNorm(dim // heads, elementwise_affine=False)

    def run(self, x: Tensor, context: Context, segments: Segments, state: Tensor | None) -> tuple[Tensor, Tensor]:
        query, key, value = (split(project(x), self.heads) for project in (self.query, self.key, self.value))
        rotation = context.rotation(query.shape[-1])
        head = torch.arange(self.heads, device=x.device, dtype=single(x).dtype)
        fades = torch.log1p(-(2.0 ** -(5 + head)))[:, None, None].expand(len(x), -1, 1, x.shape[1])
        query, key = rotate(query, rotation), rotate(key, rotation) * self.scale
        y, state = decayed(query, key, value[:, :, None], fades, segments, state, self.chunk)
        return self.out(silu(self.gate(x)) * merge(self.norm(y[:, :, 0]))), state
