"""Scores of classes, for a document or for each token."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from mmattn.errors import ConfigError
from mmattn.heads.pooling import MeanPool
from mmattn.limits import said
from mmattn.sequence import TokenSequence
from mmattn.tokenizer import Tokenizer


class Classifier(nn.Module):
    """pool → dropout → linear: (documents, classes)."""

    kind = "classifier"

    def __init__(
        self,
        dim: int,
        tokenizer: Tokenizer,
        classes: int | None,
        *,
        pool: Callable[[int], nn.Module] = MeanPool,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if not callable(pool):
            raise ConfigError(
                f"head.pool={said(pool)} pools nothing: choose one, as {{_target_: mmattn.heads.MeanPool}}."
            )
        self.pool, self.dropout = pool(dim), nn.Dropout(dropout)
        self.out = nn.Linear(dim, needed(classes))

    def forward(self, tokens: TokenSequence, documents: int) -> Tensor:
        return self.out(self.dropout(self.pool(tokens, documents)))


class TokenClassifier(nn.Module):
    """dropout → linear on every token: (batch, length, classes)."""

    kind = "token_classifier"

    def __init__(self, dim: int, tokenizer: Tokenizer, classes: int | None, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(dim, needed(classes))

    def forward(self, tokens: TokenSequence) -> Tensor:
        return self.out(self.dropout(tokens.embeddings))


def needed(classes: int | None) -> int:
    """The number of classes. Raises `ConfigError` for data without labels."""
    if classes is None:
        raise ConfigError(
            "This head sorts samples into classes, and the data has none; choose data with labels, "
            "or task=language_modelling or task=masked_modelling."
        )
    return classes
