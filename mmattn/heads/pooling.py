"""One vector a document from its tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmattn.errors import ConfigError
from mmattn.sequence import TokenSequence


def segments(tokens: TokenSequence, values: Tensor, documents: int) -> Tensor:
    """Sums of values (batch, length, width) over each document's tokens: (documents, width)."""
    total = values.new_zeros(documents + 1, values.shape[-1])
    return total.index_add(0, owners(tokens, documents), values.flatten(0, 1))[:documents]


def owners(tokens: TokenSequence, documents: int) -> Tensor:
    """Each token's document (batch · length); padding has one of its own, number `documents`, to be dropped."""
    document = tokens.info.document.flatten()
    return torch.where(document < 0, documents, document)


class MeanPool(nn.Module):
    """The mean of a document's tokens; zeros for a document without any."""

    def __init__(self, dim: int) -> None:
        super().__init__()

    def forward(self, tokens: TokenSequence, documents: int) -> Tensor:
        count = segments(tokens, tokens.info.real[..., None].to(tokens.embeddings.dtype), documents)
        return segments(tokens, tokens.embeddings, documents) / count.clamp(min=1)


class MaxPool(nn.Module):
    """The largest value of each channel over a document's tokens, as convolutional text classifiers have it
    (https://arxiv.org/abs/1408.5882); zeros for a document without any."""

    def __init__(self, dim: int) -> None:
        super().__init__()

    def forward(self, tokens: TokenSequence, documents: int) -> Tensor:
        values = tokens.embeddings.flatten(0, 1)
        owner = owners(tokens, documents)[:, None].expand_as(values)
        largest = values.new_zeros(documents + 1, values.shape[-1])
        return largest.scatter_reduce(0, owner, values, "amax", include_self=False)[:documents]


class FirstPool(nn.Module):
    """A document's first token: CLS, where the tokenizer has `prefix: 1`."""

    def __init__(self, dim: int) -> None:
        super().__init__()

    def forward(self, tokens: TokenSequence, documents: int) -> Tensor:
        first = (tokens.info.order == 0) & tokens.info.real
        return segments(tokens, tokens.embeddings * first[..., None], documents)


class LastPool(nn.Module):
    """A document's last token: for causal backbones."""

    def __init__(self, dim: int) -> None:
        super().__init__()

    def forward(self, tokens: TokenSequence, documents: int) -> Tensor:
        document = tokens.info.document
        last = tokens.info.real.clone()
        last[:, :-1] &= document[:, :-1] != document[:, 1:]
        return segments(tokens, tokens.embeddings * last[..., None], documents)


class AttentionPool(nn.Module):
    """Means weighted by a learned query, one a head (https://arxiv.org/abs/1703.03130).

    `heads` divides `dim`; each pools its share of the width. A document without tokens gives zeros.
    """

    def __init__(self, dim: int, heads: int = 4) -> None:
        super().__init__()
        if heads < 1 or dim % heads:
            raise ConfigError(f"head.pool.heads={heads} does not divide dim={dim}; choose a divisor.")
        self.score, self.heads = nn.Linear(dim, heads), heads

    def forward(self, tokens: TokenSequence, documents: int) -> Tensor:
        score = self.score(tokens.embeddings).to(tokens.embeddings.dtype)  # sums in autocast's bfloat16 would be coarse
        weight = (score - self._highest(tokens, score.detach(), documents)).exp()
        values = tokens.embeddings.unflatten(-1, (self.heads, -1)) * weight[..., None]
        total = segments(tokens, weight, documents)[..., None]
        summed = segments(tokens, values.flatten(-2), documents).unflatten(-1, (self.heads, -1))
        return (summed / total.clamp(min=1)).flatten(-2)  # the highest alone weighs 1

    def _highest(self, tokens: TokenSequence, score: Tensor, documents: int) -> Tensor:
        """The highest score of each token's document, a head (batch, length, heads): the softmax's usual shift."""
        owner, flat = owners(tokens, documents), score.flatten(0, 1)
        lowest = score.new_full((documents + 1, self.heads), -float("inf"))
        highest = lowest.scatter_reduce(0, owner[:, None].expand_as(flat), flat, "amax")
        return highest[owner].view_as(score)
