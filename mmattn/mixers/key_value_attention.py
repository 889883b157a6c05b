"""Attention to a memory whose keys and values are made of different things."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mmattn.errors import ConfigError
from mmattn.limits import whole
from mmattn.mixers.cross_attention import CrossAttention


class KeyValueAttention(CrossAttention):
    """Cross-attention to a memory of two halves: the first makes keys, the second values (key-value memory networks,
    https://arxiv.org/abs/1606.03126), as `mmattn.KeyValueEncoder` gives them.

    What is read of a token is then its own, whatever its neighbours told it, and maps show where each token is read.

    Args:
        memory_dim: width of the whole memory, an even number; default: 2 · dim. The others are `Headed`'s.
    """

    def __init__(self, dim: int, heads: int, *, memory_dim: int | None = None, **named: Any) -> None:
        both = 2 * dim if memory_dim is None else memory_dim
        whole("memory_dim", both, 2)
        if both % 2:
            raise ConfigError(f"memory_dim={both} has no two halves, of which keys and values are made.")
        super().__init__(dim, heads, memory_dim=both // 2, **named)
        self.memory_dim = both

    def keys(self, x: Tensor) -> Tensor:
        """x (batch, length, memory_dim) → (batch, key_heads, length, head_dim) of its first half, normalised."""
        return super().keys(x.chunk(2, -1)[0])

    def values(self, x: Tensor) -> Tensor:
        """x (batch, length, memory_dim) → (batch, key_heads, length, head_dim) of its second half."""
        return super().values(x.chunk(2, -1)[1])
