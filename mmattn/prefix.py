"""Learned tokens in front of every document: CLS, registers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmattn.sequence import PADDING, Layout, TokenInfo, TokenSequence, join


class PrefixTokens(nn.Module):
    """`count` learned tokens of width `dim` in front of each document. They have no coordinates and are global."""

    def __init__(self, dim: int, count: int) -> None:
        super().__init__()
        self.count = count
        self.tokens = nn.Parameter(torch.randn(count, dim) * 0.02)

    def forward(self, tokens: TokenSequence) -> TokenSequence:
        if self.count == 0:
            return tokens
        info, layout = tokens.info, tokens.info.layout
        documents = _documents(info.document, layout)
        real = (documents >= 0).repeat_interleave(self.count, 1)
        order = torch.arange(self.count, device=real.device).repeat(documents.shape[1]).expand_as(real)
        prefix = TokenInfo(
            order=torch.where(real, order, 0),
            coordinates=info.coordinates.new_full((*real.shape, info.coordinates.shape[-1]), PADDING),
            document=documents.repeat_interleave(self.count, 1),
            modality=info.modality[:, :1].expand_as(real) if info.modality.shape[1] else torch.zeros_like(order),
            is_global=real,
            known_layout=Layout(layout.one_document, not layout.one_document or layout.padded, layout.side),
        )
        embeddings = self.tokens.repeat(documents.shape[1], 1).to(tokens.embeddings.dtype)
        embeddings = embeddings * real[..., None]
        return join([TokenSequence(embeddings, prefix), tokens], layout.side)


def _documents(document: Tensor, layout: Layout) -> Tensor:
    """The document numbers of each row (batch, most documents in a row), ascending, -1 where a row has fewer."""
    if layout.one_document:
        return document.max(dim=1, keepdim=True).values
    start = document >= 0
    start[:, 1:] &= document[:, 1:] != document[:, :-1]
    place = start.cumsum(1) - 1
    found = document.new_full((len(document), int(start.sum(1).max())), PADDING)
    row, column = start.nonzero(as_tuple=True)
    found[row, place[row, column]] = document[row, column]
    return found
