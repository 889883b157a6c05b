"""Learned tokens in front of every document: CLS, registers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmattn.errors import ConfigError
from mmattn.sequence import PADDING, Layout, TokenInfo, TokenSequence, join


class PrefixTokens(nn.Module):
    """`count` learned tokens of width `dim` in front of each document. They have no coordinates and are global."""

    def __init__(self, dim: int, count: int) -> None:
        super().__init__()
        if count < 0:
            raise ConfigError(f"prefix={count} must not be negative.")
        self.count = count
        self.tokens = nn.Parameter(torch.randn(count, dim) * 0.02)

    def forward(self, tokens: TokenSequence) -> TokenSequence:
        if self.count == 0 or tokens.info.document.numel() == 0:  # without tokens there is no document
            return tokens
        info, layout = tokens.info, tokens.info.layout
        first = _first_tokens(info, layout)
        facts = info.pick(first.clamp(min=0).repeat_interleave(self.count, 1))
        real = facts.real & (first >= 0).repeat_interleave(self.count, 1)
        order = torch.arange(self.count, device=real.device).repeat(first.shape[1])
        prefix = TokenInfo(
            order=torch.where(real, order, 0),
            coordinates=torch.full_like(facts.coordinates, PADDING),
            document=torch.where(real, facts.document, PADDING),
            modality=facts.modality,
            is_global=real,
            known_layout=Layout(layout.one_document, not layout.one_document or layout.padded, layout.side),
        )
        embeddings = self.tokens.repeat(first.shape[1], 1).to(tokens.embeddings.dtype)
        embeddings = embeddings * real[..., None]
        return join([TokenSequence(embeddings, prefix), tokens], layout.side, same_documents=True)


def _first_tokens(info: TokenInfo, layout: Layout) -> Tensor:
    """Where each document of a row begins (batch, most documents in a row), -1 where a row has fewer.

    A row of padding alone may give a place of padding. Packed rows synchronise on a device: how many documents the
    fullest row holds decides the result's shape.
    """
    if layout.one_document:
        return info.real.int().argmax(1, keepdim=True)
    begins = info.real
    begins[:, 1:] &= info.document[:, 1:] != info.document[:, :-1]
    number = begins.cumsum(1) - 1
    first = number.new_full((len(number), int(begins.sum(1).max())), -1)
    row, column = begins.nonzero(as_tuple=True)
    first[row, number[row, column]] = column
    return first
