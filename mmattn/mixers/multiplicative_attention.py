"""Attention as recurrent decoders came to use it: a token looks at another sequence once its own layer is done."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmattn.context import Context
from mmattn.limits import whole
from mmattn.mixers.headed import Headed


class MultiplicativeAttention(Headed):
    """tanh(W[cₜ; xₜ]), cₜ = Σⱼ softmaxⱼ(xₜᵀ A hⱼ) hⱼ over the memory's tokens hⱼ of the same document: the "general"
    score of https://arxiv.org/abs/1508.04025, unscaled, with the memory itself for keys and values.

    Args:
        dim: model width.
        memory_dim: width of the memory; None: `dim`.
        kernel: as of `Headed`.
    """

    def __init__(self, dim: int, *, memory_dim: int | None = None, kernel: str = "auto") -> None:
        source = dim if memory_dim is None else memory_dim
        whole("memory_dim", source, 1)
        super().__init__(dim, 1, head_dim=source, memory_dim=source, bias=False, kernel=kernel)
        self.scale = 1.0
        self.key = self.value = nn.Identity()  # type: ignore[assignment]
        self.out = nn.Linear(source + dim, dim, bias=False)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        memory, visibility = context.read().tokens.embeddings, context.memory_visibility(self.pattern)
        read = self.attend(self.queries(x), self.keys(memory), self.values(memory), visibility, self.scale)[:, 0]
        return self.out(torch.cat([read, x], -1)).tanh()

    def step(self, x: Tensor, context: Context, state: None) -> tuple[Tensor, None]:
        """The same: nothing is kept."""
        return self.forward(x, context), None
