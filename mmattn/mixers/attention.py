"""Self-attention."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from mmattn.context import Context
from mmattn.mixers.headed import Headed
from mmattn.patterns import Visibility
from mmattn.positions import rotate
from mmattn.sequence import TokenInfo


class Cache(NamedTuple):
    """Keys (rotated) and values (batch, key_heads, length, head_dim) of earlier tokens, and those tokens' facts."""

    key: Tensor
    value: Tensor
    info: TokenInfo


class Attention(Headed):
    """Tokens read the tokens of their own sequence; the arguments are `Headed`'s, but for `memory_dim`."""

    def __init__(self, dim: int, heads: int, **arguments: Any) -> None:
        super().__init__(dim, heads, **arguments)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        return self.mix(*self.project(x, context), context.visibility(self.pattern))

    def step(self, x: Tensor, context: Context, state: Cache | None) -> tuple[Tensor, Cache]:
        query, key, value = self.project(x, context)
        info = context.info
        if state is not None:
            key, value = torch.cat([state.key, key], 2), torch.cat([state.value, value], 2)
            info = TokenInfo.concatenate([state.info, info])
        return self.mix(query, key, value, Visibility(self.pattern, context.info, info)), Cache(key, value, info)

    def project(self, x: Tensor, context: Context) -> tuple[Tensor, Tensor, Tensor]:
        """Rotated queries and keys, and values, each (batch, its heads, length, head_dim)."""
        rotation = context.rotation(self.head_dim)
        return rotate(self.queries(x), rotation), rotate(self.keys(x), rotation), self.values(x)
