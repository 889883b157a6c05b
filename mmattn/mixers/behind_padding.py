"""Rows whose padding stands in front, so that the neighbours of a token are its neighbours in the row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from mmattn.sequence import PADDING


class Recent(NamedTuple):
    """The last tokens (batch, count, dim) and their documents (batch, count), −1 where there was none."""

    x: Tensor
    document: Tensor

    @staticmethod
    def nothing(x: Tensor, document: Tensor, count: int) -> Recent:
        """Of rows x (batch, length, dim) and documents (batch, length) before which nothing was seen."""
        return Recent(x.new_zeros(len(x), count, x.shape[-1]), document.new_full((len(x), count), PADDING))

    @staticmethod
    def of(x: Tensor, document: Tensor, count: int) -> Recent:
        """The last ones of rows whose padding stands in front."""
        first = x.shape[1] - count
        return Recent(x[:, first:].clone(), document[:, first:].clone())  # a view would keep all before it, too


def behind_padding(x: Tensor, document: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """x (batch, length, dim), documents (batch, length), and where each came from (batch, length)."""
    order = (document != PADDING).long().argsort(dim=1, stable=True)
    return x.gather(1, _along(order, x)), document.gather(1, order), order


def put_back(x: Tensor, order: Tensor) -> Tensor:
    """The inverse of `behind_padding`."""
    return torch.zeros_like(x).scatter(1, _along(order, x), x)


def neighbours(x: Tensor, document: Tensor, before: int, after: int = 0) -> Iterator[Tensor]:
    """x (batch, length, dim) at the places from `before` earlier to `after` later, zeros where that is in no or another
    document (batch, length)."""
    length, sides = x.shape[1], (before, after)
    x, documents = pad(x, (0, 0, *sides)), pad(document, sides, value=PADDING)
    for start in range(before + after + 1):
        same = documents[:, start : start + length] == document
        yield torch.where(same[..., None], x[:, start : start + length], 0)


def _along(order: Tensor, x: Tensor) -> Tensor:
    return order[..., None].expand(-1, -1, x.shape[-1])
