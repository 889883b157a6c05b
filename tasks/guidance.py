"""Contexts that are hidden, for classifier-free guidance (https://arxiv.org/abs/2207.12598)."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from mmattn.sequence import PADDING, Layout, TokenInfo, TokenSequence


def without(memory: TokenSequence, hidden: Tensor) -> TokenSequence:
    """The memory with the documents of hidden rows (batch,) turned into padding, which nothing sees."""
    document = memory.info.document.masked_fill(hidden[:, None], PADDING)
    return replace(memory, info=replace(memory.info, document=document, known_layout=Layout(True, True)))


def nothing(rows: int, dim: int, device: torch.device | None = None) -> TokenSequence:
    """A memory that holds no token for any of so many rows."""
    return TokenSequence(torch.zeros(rows, 0, dim, device=device), TokenInfo.from_lengths([0] * rows, device=device))


def twice(memory: TokenSequence) -> TokenSequence:
    """The rows once as they are, and once as new documents that have no context."""
    info = memory.info.map(lambda fact: torch.cat([fact, fact]))
    rows = torch.arange(len(info.document), device=info.document.device)[:, None]
    document = torch.where(info.real, rows, PADDING)
    both = replace(
        memory, embeddings=memory.embeddings.repeat(2, 1, 1), ids=None, info=replace(info, document=document)
    )
    return without(both, rows[:, 0] >= len(memory.embeddings))


def guided(scores: Tensor, guidance: float) -> Tensor:
    """What the first half of the rows says, exaggerated by `guidance` against the second, which saw no context."""
    seen, blind = scores.chunk(2)
    return blind + guidance * (seen - blind)
