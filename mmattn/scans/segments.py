"""Where documents begin, as recurrences need it: a state goes on through a document and no further."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from mmattn.sequence import PADDING


class Segments(NamedTuple):
    """Which tokens share a state.

    number: int (batch, length), ascending in the row: tokens of a document have one number, padding that of the token
    before it. 0 is the document of which earlier tokens left a state.
    real: bool (batch, length), no padding.
    last: int (batch,), the document of each row's last token, or what was given where the row is padding alone.
    """

    number: Tensor
    real: Tensor
    last: Tensor

    @staticmethod
    def of(document: Tensor, before: Tensor | None = None) -> Segments:
        """document (batch, length), −1 being padding; before (batch,): of the last tokens seen before, −1 for none."""
        if before is None:
            before = document.new_full(document.shape[:1], PADDING)
        real = document != PADDING
        place = torch.arange(document.shape[1], device=document.device)
        seen = torch.where(real, place, PADDING).cummax(1).values  # the last token up to here
        latest = torch.where(seen >= 0, document.gather(1, seen.clamp(min=0)), before[:, None])
        earlier = torch.cat([before[:, None], latest], 1)[:, :-1]
        begins = real & (document != earlier)
        return Segments(begins.cumsum(1), real, latest[:, -1] if document.shape[1] else before)

    @property
    def begins(self) -> Tensor:
        """bool (batch, length): the first token of each document of which nothing was seen before."""
        return self.number.diff(dim=1, prepend=torch.zeros_like(self.number[:, :1])) > 0

    @property
    def goes_on(self) -> Tensor:
        """bool (batch, length): tokens behind another one of their document, here or before."""
        return self.real & ~self.begins

    def flip(self) -> Segments:
        """The same from the last token to the first, as if nothing had been seen before."""
        return Segments.of(torch.where(self.real, self.number, PADDING).flip(1))

    def chunks(self, size: int) -> Tensor:
        """Numbers (batch, chunks, size), the last one going on behind the end."""
        number = self.number
        spare = -number.shape[1] % size
        return torch.cat([number, number[:, -1:].expand(-1, spare)], 1).unflatten(1, (-1, size))


def cut(values: Tensor, dim: int, size: int) -> Tensor:
    """A dimension in chunks of `size`, (…, length, …) → (…, chunks, size, …), with zeros behind the end."""
    dim = dim % values.ndim
    spare = -values.shape[dim] % size
    if spare:
        values = pad(values, (0, 0) * (values.ndim - 1 - dim) + (0, spare))
    return values.unflatten(dim, (-1, size))
