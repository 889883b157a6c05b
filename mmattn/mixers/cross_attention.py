"""Attention to another sequence."""

from __future__ import annotations

from torch import Tensor

from mmattn.context import Context
from mmattn.mixers.headed import Headed


class CrossAttention(Headed):
    """Tokens read the memory's tokens of the same document; the arguments are `Headed`'s.

    A document without memory tokens reads exactly 0: no condition. Queries and keys lie in different sequences, so
    neither is rotated: the memory's own backbone says where its tokens are.
    """

    def forward(self, x: Tensor, context: Context) -> Tensor:
        key, value = context.read().kept(
            self, lambda memory: (self.keys(memory.embeddings), self.values(memory.embeddings))
        )
        return self.mix(self.queries(x), key, value, context.memory_visibility(self.pattern))

    def step(self, x: Tensor, context: Context, state: None) -> tuple[Tensor, None]:
        """The same: what it keeps is with the memory."""
        return self.forward(x, context), None
