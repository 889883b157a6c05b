"""Vectors of a codebook's entries, made of what they show."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding


class CodeEmbedding(nn.Module):
    """Vector = own + look(code): codes that look alike, the same edge in another colour, begin as neighbours.

    As scores of the next code (`TokenHead`, tied) a code's colour and its form then add up, so that a form is guessed
    in a colour in which training never showed it.

    Args:
        specials: ids before those of the codes, which show nothing.
        codes: (codes, values), in [0, 1].
        deviation: of the own vectors at first.
    """

    codes: Tensor

    def __init__(self, specials: int, codes: Tensor, dim: int, deviation: float) -> None:
        super().__init__()
        self.specials = specials
        self.register_buffer("codes", torch.empty(codes.shape), persistent=False)  # part of the tokenizer's state
        self.show(codes)
        self.table = nn.Parameter(torch.randn(specials + len(codes), dim) * deviation)
        last = nn.Linear(2 * dim, dim, bias=False)
        nn.init.normal_(last.weight, std=0.1 * dim**-0.5)  # scores begin near 0
        self.look = nn.Sequential(nn.Linear(codes.shape[1], 2 * dim), nn.GELU(), last)

    def show(self, codes: Tensor) -> None:
        """Take these entries for those before, of which there were as many."""
        self.codes.copy_(2 * codes - 1)

    @property
    def weight(self) -> Tensor:
        """(vocabulary, dim)."""
        own = self.table.split([self.specials, len(self.codes)])
        return torch.cat([own[0], own[1] + self.look(self.codes)])

    def forward(self, ids: Tensor) -> Tensor:
        """ids (…) → (…, dim)."""
        return embedding(ids, self.weight)
