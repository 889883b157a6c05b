"""One vector a document from its tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmattn.sequence import TokenSequence


def segments(tokens: TokenSequence, values: Tensor, documents: int) -> Tensor:
    """Sums of values (batch, length, width) over each document's tokens: (documents, width)."""
    index = tokens.info.document.flatten()
    # Padding is summed into a row of its own, which is dropped.
    index = torch.where(index < 0, documents, index)
    total = values.new_zeros(documents + 1, values.shape[-1])
    return total.index_add(0, index, values.flatten(0, 1))[:documents]


class MeanPool(nn.Module):
    """The mean of a document's tokens; zeros for a document without any."""

    def __init__(self, dim: int) -> None:
        super().__init__()

    def forward(self, tokens: TokenSequence, documents: int) -> Tensor:
        count = segments(tokens, tokens.info.real[..., None].to(tokens.embeddings.dtype), documents)
        return segments(tokens, tokens.embeddings, documents) / count.clamp(min=1)


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
    """Means weighted by a learned query, one a head (https://arxiv.org/abs/1703.03130)."""

    def __init__(self, dim: int, heads: int = 4) -> None:
        super().__init__()
        self.score, self.heads = nn.Linear(dim, heads), heads

    def forward(self, tokens: TokenSequence, documents: int) -> Tensor:
        score = self.score(tokens.embeddings)
        # One constant for all leaves the weights as they are and keeps exp within range.
        weight = (score - score.detach().amax()).exp() * tokens.info.real[..., None]
        values = tokens.embeddings.unflatten(-1, (self.heads, -1)) * weight[..., None]
        total = segments(tokens, weight, documents)[..., None]
        summed = segments(tokens, values.flatten(-2), documents).unflatten(-1, (self.heads, -1))
        return (summed / total.clamp(min=torch.finfo(total.dtype).tiny)).flatten(-2)
