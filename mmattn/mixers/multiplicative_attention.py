"""Attention as recurrent decoders came to use it: a token looks at another sequence once its own layer is done."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmattn.context import Context
from mmattn.mixers.cross_attention import CrossAttention


class MultiplicativeAttention(CrossAttention):
    """tanh(W[cₜ; xₜ]), cₜ = Σⱼ softmaxⱼ(xₜᵀ A hⱼ) hⱼ over the memory's tokens hⱼ of the same document: the "general"
    score of https://arxiv.org/abs/1508.04025, unscaled, with the memory itself for keys and values.

    Args:
        dim: model width.
        memory_dim: width of the memory; None: `dim`.
        kernel: as of `Headed`.
    """

    def __init__(self, dim: int, *, memory_dim: int | None = None, kernel: str = "auto") -> None:
        source = dim if memory_dim is None else memory_dim
        super().__init__(dim, 1, head_dim=source, memory_dim=source, bias=False, kernel=kernel)
        self.scale = 1.0
        self.key = self.value = self.out = nn.Identity()  # type: ignore[assignment]
        self.join = nn.Linear(source + dim, dim, bias=False)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        return self.join(torch.cat([super().forward(x, context), x], -1)).tanh()
