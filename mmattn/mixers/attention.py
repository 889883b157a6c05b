"""Self-attention."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from mmattn.context import Context
from mmattn.mixers.headed import Headed
from mmattn.mixers.room import Room, extended
from mmattn.patterns import Pattern, Visibility
from mmattn.patterns.later import still_seen
from mmattn.positions import rotate
from mmattn.sequence import TokenInfo

ROOM = 64
"""Tokens that a cache takes in, at least, before it is looked through."""


class Cache(NamedTuple):
    """Keys (rotated) and values (batch, key_heads, length, head_dim) of earlier tokens, and those tokens' facts.

    kept: how many there were when it was last looked through; see `without_unseen`. room: where they stand, with room
    for later ones.
    """

    key: Tensor
    value: Tensor
    info: TokenInfo
    kept: int = 0
    room: Room | None = None

    def without_unseen(self, pattern: Pattern) -> Cache:
        """The same without tokens that no later one can see, such as those behind a window.

        Looking costs as much as there are tokens, so it is done each time that they have doubled.
        """
        length = self.key.shape[2]
        if length < 2 * self.kept + ROOM:
            return self
        columns = torch.from_numpy(still_seen(pattern, self.info).any(0))
        if columns.all():
            return self._replace(kept=length)
        index = columns.nonzero()[:, 0].to(self.key.device)
        key, value = self.key.index_select(2, index), self.value.index_select(2, index)
        return Cache(key, value, self.info.pick(index.expand(len(key), -1)), len(index))


class Attention(Headed):
    """Tokens read the tokens of their own sequence; the arguments are `Headed`'s, but for `memory_dim`."""

    def __init__(self, dim: int, heads: int, **arguments: Any) -> None:
        super().__init__(dim, heads, **arguments)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        return self.mix(*self.project(x, context), context.visibility(self.pattern))

    def step(self, x: Tensor, context: Context, state: Cache | None) -> tuple[Tensor, Cache]:
        query, key, value = self.project(x, context)
        info, kept, room = context.info, 0, None
        if state is not None:
            (key, value), room = extended((state.key, state.value), (key, value), state.room)
            info, kept = TokenInfo.concatenate([state.info, info]), state.kept
        out = self.mix(query, key, value, Visibility(self.pattern, context.info, info))
        return out, Cache(key, value, info, kept, room).without_unseen(self.pattern)

    def project(self, x: Tensor, context: Context) -> tuple[Tensor, Tensor, Tensor]:
        """Rotated queries and keys, and values, each (batch, its heads, length, head_dim)."""
        rotation = context.rotation(self.head_dim)
        return rotate(self.queries(x), rotation), rotate(self.keys(x), rotation), self.values(x)
