"""What tokens mean where they stand, beside what they are."""

from __future__ import annotations

import torch
from torch import Tensor

from mmattn.backbone import Backbone
from mmattn.memory import Memory
from mmattn.sequence import TokenSequence


class KeyValueEncoder(Backbone):
    """A backbone that gives each token's embedding twice: after its layers, and as it came in. The arguments are
    `Backbone`'s.

    Layers gather what a phrase says wherever it suits them, at "a" as well as at "circle". Where keys are made of the
    first half and values of the second (`mmattn.mixers.KeyValueAttention`), context decides which word is read, and
    what is read of it is the word: a map then shows the word that made a pixel.
    """

    @property
    def out_dim(self) -> int:
        """Width of the output: 2 · dim."""
        return 2 * self.dim

    def forward(
        self, tokens: TokenSequence, memory: TokenSequence | Memory | None = None, condition: Tensor | None = None
    ) -> TokenSequence:
        """Tokens (batch, length, dim) → (batch, length, 2 · dim), zeros at padding."""
        out, own = super().forward(tokens, memory, condition), tokens.zero_padding()
        return out.with_embeddings(torch.cat([out.embeddings, own.embeddings], -1))
