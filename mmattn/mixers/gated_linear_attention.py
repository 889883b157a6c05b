"""Linear attention that chooses, token by token and channel by channel, what it forgets."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import logsigmoid, silu

from mmattn.context import Context
from mmattn.limits import whole
from mmattn.mixers.scanning import Scanning, check_heads, merge, split
from mmattn.scans import Segments, channelwise

SLOW = 16.0
"""The paper's τ: gates are near 1, so that a state lasts."""


class GatedLinearAttention(Scanning):
    """Sₜ = diag(αₜ) Sₜ₋₁ + kₜvₜᵀ, yₜ = Sₜᵀqₜ, out(silu(gate) · norm(y)), log αₜ = logsigmoid(W₂W₁x + b) / 16
    (https://arxiv.org/abs/2312.06635).

    Args:
        dim: model width.
        heads: each with a state of its own.
        key_dim: width of all heads' keys together; None: half of `dim`.
        rank: of the matrix that makes the decays.
        chunk: tokens that read each other directly: speed and memory, not the result.
    """

    def __init__(self, dim: int, heads: int, *, key_dim: int | None = None, rank: int = 16, chunk: int = 16) -> None:
        super().__init__()
        keys = dim // 2 if key_dim is None else key_dim
        check_heads(heads, chunk, dim=dim, key_dim=keys)
        whole("rank", rank, 1)
        self.heads, self.chunk, self.scale = heads, chunk, (keys // heads) ** -0.5
        self.query, self.key = (nn.Linear(dim, keys, bias=False) for _ in range(2))
        self.value, self.gate, self.out = (nn.Linear(dim, dim, bias=False) for _ in range(3))
        self.forget = nn.Sequential(nn.Linear(dim, rank, bias=False), nn.Linear(rank, keys))
        self.norm = nn.RMSNorm(dim // heads)

    def run(self, x: Tensor, context: Context, segments: Segments, state: Tensor | None) -> tuple[Tensor, Tensor]:
        projections = self.query, self.key, self.value, self.forget
        query, key, value, forget = (split(project(x), self.heads) for project in projections)
        fades = logsigmoid(forget) / SLOW
        y, state = channelwise(query * self.scale, key, value, fades, segments, state, self.chunk)
        return self.out(silu(self.gate(x)) * merge(self.norm(y))), state
