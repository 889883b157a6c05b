"""Rows of tokens on which mixers are tried, and the memory beside them."""

from __future__ import annotations

import torch
from torch import Tensor

from mmattn.context import Context
from mmattn.memory import Memory
from mmattn.mixers import Mixer
from mmattn.positions import Position
from mmattn.sequence import PADDING, TokenInfo, TokenSequence

LONG = "more tokens than a chunk has"
DOCUMENTS = {
    "rows without padding": [[0] * 9, [1] * 9],
    "padding on the right": [[0] * 5 + [-1] * 4, [1] * 9],
    "padding on the left": [[-1] * 4 + [0] * 5, [1] * 9],
    "several documents in a row": [[0] * 2 + [1] * 4 + [2] * 2 + [-1], [3] + [4] * 8],
    "padding inside a document": [[0] * 2 + [-1] * 2 + [0] * 3 + [-1] * 2, [-1] + [1] * 3 + [-1] + [2] * 4],
    "a row of padding": [[-1] * 9, [0] * 9],
    LONG: [[i // 11 for i in range(143)], [-1] * 3 + [13 + i // 10 for i in range(140)]],
}
"""The documents of two rows; −1 is padding. Documents are short: some mixers let rounding errors grow in long ones."""
LARGEST = max(max(row) for rows in DOCUMENTS.values() for row in rows) + 1


def width_read(mixer: Mixer, dim: int) -> int:
    """Width of the memory that a mixer of this width reads."""
    return int(getattr(mixer, "memory_dim", dim))


def close(one: Tensor, other: Tensor) -> bool:
    """Equal but for the last digits."""
    return torch.allclose(one, other, rtol=0, atol=1e-9)


def tokens(document: Tensor, dim: int, generator: torch.Generator) -> Tensor:
    """Random tokens (batch, length, dim) for documents (batch, length)."""
    return torch.randn(*document.shape, dim, dtype=torch.float64, generator=generator)


def facts(document: Tensor) -> TokenInfo:
    """Of tokens in rows of documents (batch, length): on a grid of three columns."""
    order = torch.zeros_like(document)
    for number in document[document != PADDING].unique():
        own = document == number
        order[own] = torch.arange(int(own.sum()))
    grid = torch.stack([order // 3, order % 3], -1)
    return TokenInfo(order, grid, document, torch.zeros_like(document), torch.zeros_like(document, dtype=torch.bool))


def context(info: TokenInfo, width: int, position: Position, whole: TokenInfo | None = None) -> Context:
    """With a memory of this width, two tokens for each document of the rows, the same wherever the document stands."""
    document = (whole or info).document
    numbers = [row[row != PADDING].unique().repeat_interleave(2) for row in document]
    read = torch.full((len(numbers), max(map(len, numbers), default=0)), PADDING)
    for row, own in zip(read, numbers, strict=True):
        row[: len(own)] = own
    table = torch.randn(LARGEST + 1, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return Context(info, position, Memory(TokenSequence(table[read], facts(read))))
