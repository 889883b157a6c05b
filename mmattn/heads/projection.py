"""One direction a document: what is compared across kinds of data."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.functional import normalize

from mmattn.errors import ConfigError
from mmattn.heads.pooling import MeanPool
from mmattn.sequence import TokenSequence
from mmattn.tokenizer import Tokenizer


class Projection(nn.Module):
    """pool → linear → length 1: (documents, size)."""

    kind = "projection"

    def __init__(
        self,
        dim: int,
        tokenizer: Tokenizer,
        classes: int | None,
        *,
        size: int = 128,
        pool: Callable[[int], nn.Module] = MeanPool,
    ) -> None:
        super().__init__()
        if size < 2:
            raise ConfigError(f"head.size={size} must be at least 2: of one value, only the sign could tell apart.")
        self.pool, self.out = pool(dim), nn.Linear(dim, size, bias=False)

    def forward(self, tokens: TokenSequence, documents: int) -> Tensor:
        return normalize(self.out(self.pool(tokens, documents)), dim=-1)
