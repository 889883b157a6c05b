"""How much of a token is left at a later one, where chunks and documents begin."""

from __future__ import annotations

import torch
from torch import Tensor


def faded(kept: Tensor, exponent: Tensor) -> Tensor:
    """exp(exponent) where it is kept, 0 elsewhere, in values and in gradients."""
    return exponent.masked_fill(~kept, -torch.inf).exp()


def fading(total: Tensor, number: Tensor) -> Tensor:
    """What of each token of a chunk is left at each later one of its document, (…, later, earlier).

    total: the sum of log decays in the chunk up to each token, (…, chunk); number: of its document.
    """
    sees = (number[..., :, None] == number[..., None, :]).tril()
    return faded(sees, total[..., :, None] - total[..., None, :])


def arriving(number: Tensor) -> Tensor:
    """The number of the document whose state each chunk begins with: numbers (…, chunks, chunk) → (…, chunks, 1)."""
    ends = number[..., -1:]
    return torch.cat([torch.zeros_like(ends[..., :1, :]), ends[..., :-1, :]], -2)
