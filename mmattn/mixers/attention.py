"""Self-attention with grouped queries."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmattn.biases import Bias
from mmattn.context import Context
from mmattn.errors import ConfigError
from mmattn.kernels import attend, choose
from mmattn.mixers.mixer import Mixer
from mmattn.patterns import Full, Pattern, Visibility
from mmattn.positions import rotate
from mmattn.sequence import TokenInfo


class Cache(NamedTuple):
    """Keys (rotated) and values (batch, key_heads, length, head_dim) of earlier tokens, and those tokens' facts."""

    key: Tensor
    value: Tensor
    info: TokenInfo


class Attention(Mixer):
    """Multi-head attention (https://arxiv.org/abs/1706.03762) with grouped queries (https://arxiv.org/abs/2305.13245).

    Args:
        dim: model width.
        heads: query heads.
        key_heads: key and value heads, dividing `heads`; default: as many.
        head_dim: width of a head; default dim / heads.
        pattern: who sees whom.
        qk_norm: RMS-normalises queries and keys a head (https://arxiv.org/abs/2302.05442).
        bias: of the projections.
        kernel: how it is computed: `auto` or a name of `mmattn.kernels.KERNELS`.
        score_bias: a factory `heads -> Bias` of what is done to the scores (`mmattn.biases`).
        weight_dropout: the chance that an attention weight is zeroed in training.
    """

    def __init__(
        self,
        dim: int,
        heads: int,
        *,
        key_heads: int | None = None,
        head_dim: int | None = None,
        pattern: Pattern | None = None,
        qk_norm: bool = False,
        bias: bool = True,
        kernel: str = "auto",
        score_bias: Callable[[int], Bias] | None = None,
        weight_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.heads, self.key_heads = heads, heads if key_heads is None else key_heads
        if min(self.heads, self.key_heads) < 1:
            raise ConfigError(f"heads={heads} and key_heads={self.key_heads} must be at least 1.")
        if head_dim is None and dim % heads:
            raise ConfigError(f"heads={heads} does not divide dim={dim}; choose a divisor, or set head_dim.")
        if heads % self.key_heads:
            raise ConfigError(f"key_heads={self.key_heads} does not divide heads={heads}; choose a divisor.")
        self.head_dim = head_dim or dim // heads
        self.pattern = pattern or Full()
        if not 0 <= weight_dropout < 1:
            raise ConfigError(f"weight_dropout={weight_dropout} must be at least 0 and less than 1.")
        choose(kernel)  # raises for a name that is not known
        self.attend = partial(attend, kernel=kernel)
        self.scale, self.weight_dropout = self.head_dim**-0.5, weight_dropout
        self.score_bias = None if score_bias is None else score_bias(heads)
        self.query = nn.Linear(dim, self.heads * self.head_dim, bias=bias)
        self.key = nn.Linear(dim, self.key_heads * self.head_dim, bias=bias)
        self.value = nn.Linear(dim, self.key_heads * self.head_dim, bias=bias)
        self.out = nn.Linear(self.heads * self.head_dim, dim, bias=bias)
        self.query_norm = nn.RMSNorm(self.head_dim) if qk_norm else nn.Identity()
        self.key_norm = nn.RMSNorm(self.head_dim) if qk_norm else nn.Identity()

    def forward(self, x: Tensor, context: Context) -> Tensor:
        return self.merge(self._read(*self.project(x, context), context.visibility(self.pattern)))

    def step(self, x: Tensor, context: Context, state: Cache | None) -> tuple[Tensor, Cache]:
        query, key, value = self.project(x, context)
        info = context.info
        if state is not None:
            key, value = torch.cat([state.key, key], 2), torch.cat([state.value, value], 2)
            info = TokenInfo.concatenate([state.info, info])
        visibility = Visibility(self.pattern, context.info, info)
        return self.merge(self._read(query, key, value, visibility)), Cache(key, value, info)

    def _read(self, query: Tensor, key: Tensor, value: Tensor, visibility: Visibility) -> Tensor:
        dropout = self.weight_dropout if self.training else 0.0
        return self.attend(query, key, value, visibility, self.scale, bias=self.score_bias, dropout=dropout)

    def project(self, x: Tensor, context: Context) -> tuple[Tensor, Tensor, Tensor]:
        """Rotated queries and keys, and values, each (batch, its heads, length, head_dim)."""
        query, key, value = (
            layer(x).unflatten(-1, (-1, self.head_dim)).transpose(1, 2) for layer in (self.query, self.key, self.value)
        )
        rotation = context.rotation(self.head_dim)
        return rotate(self.query_norm(query), rotation), rotate(self.key_norm(key), rotation), value

    def merge(self, heads: Tensor) -> Tensor:
        """(batch, heads, length, head_dim) → (batch, length, dim)."""
        return self.out(heads.transpose(1, 2).flatten(-2))
