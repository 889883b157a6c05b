"""What a position part may do: add to the embeddings, or rotate queries and keys."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from mmattn.sequence import TokenInfo


class Rotation(NamedTuple):
    """float32 cosines and sines (batch, 1, length, head_dim / 2)."""

    cosine: Tensor
    sine: Tensor


class Position(nn.Module):
    """Tells a model where its tokens are. The default tells nothing: attention without positions."""

    def embed(self, embeddings: Tensor, info: TokenInfo) -> Tensor:
        """Embeddings (batch, length, dim) with the position added, where this kind adds."""
        return embeddings

    def rotation(self, info: TokenInfo, head_dim: int) -> Rotation | None:
        """Tables by which attention rotates queries and keys of `head_dim`, where this kind rotates."""
        return None
