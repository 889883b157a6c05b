"""What a token is: scores over a vocabulary, or the continuous content of a patch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from mmattn.errors import ConfigError
from mmattn.sequence import TokenSequence
from mmattn.tokenizer import Tokenizer


class TokenHead(nn.Module):
    """Scores of the vocabulary (batch, length, vocabulary).

    `tied` multiplies by the tokenizer's own embeddings (https://arxiv.org/abs/1608.05859), else by a matrix of its own.
    """

    kind = "tokens"

    def __init__(self, dim: int, tokenizer: Tokenizer, classes: int | None, *, tied: bool = True) -> None:
        super().__init__()
        if tokenizer.vocabulary is None:
            raise ConfigError(f"head=tokens predicts discrete tokens, and {type(tokenizer).__name__} has none.")
        size = len(tokenizer.vocabulary)
        own = None if tied else torch.randn(size, dim) * dim**-0.5
        self.weight = None if own is None else nn.Parameter(own)
        self.bias = nn.Parameter(torch.zeros(size))
        self._tokenizer = [tokenizer] if tied else []  # in a list: the task owns the module, and saves it once

    def forward(self, tokens: TokenSequence) -> Tensor:
        table: Any = self._tokenizer[0].embedding if self.weight is None else self
        return linear(tokens.embeddings, table.weight, self.bias)


class ContentHead(nn.Module):
    """Predicts the continuous content of each token (batch, length, values): pixels of a patch, log-mel of a frame."""

    kind = "content"

    def __init__(self, dim: int, tokenizer: Tokenizer, classes: int | None) -> None:
        super().__init__()
        if tokenizer.vocabulary is not None or tokenizer.content_size is None:
            raise ConfigError(f"head=content predicts continuous tokens, and {type(tokenizer).__name__} has none.")
        self.out = nn.Linear(dim, tokenizer.content_size)

    def forward(self, tokens: TokenSequence) -> Tensor:
        return self.out(tokens.embeddings)
