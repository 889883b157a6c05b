"""Four ways to ask what was said before: ids and targets, drawn anew for each batch."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from mmattn.why.training import UNASKED

FILLER, MARK = 0, 1
FIRST = 2
"""The first symbol that means something."""


def associative_recall(generator: Generator, rows: int, length: int, pairs: int, symbols: int) -> tuple[Tensor, Tensor]:
    """Multi-query associative recall (https://arxiv.org/abs/2312.04927): key, value, key, value, …, then each key once
    more somewhere in the rest, where its value is asked for."""
    half = (symbols - FIRST) // 2
    keys = torch.stack([torch.randperm(half, generator=generator)[:pairs] for _ in range(rows)]) + FIRST
    values = torch.randint(half, (rows, pairs), generator=generator) + FIRST + half
    ids, targets = _empty(rows, length)
    ids[:, 0 : 2 * pairs : 2], ids[:, 1 : 2 * pairs : 2] = keys, values
    places = 2 * pairs + _places(generator, rows, length - 2 * pairs, pairs)
    ids.scatter_(1, places, keys)
    return ids, targets.scatter_(1, places, values)


def induction(generator: Generator, rows: int, length: int, symbols: int) -> tuple[Tensor, Tensor]:
    """Random symbols; what followed the mark is asked for at the mark's second place, the end."""
    ids = torch.randint(FIRST, symbols, (rows, length), generator=generator)
    place = torch.randint(length - 2, (rows, 1), generator=generator)
    ids.scatter_(1, place, MARK)
    ids[:, -1] = MARK
    targets = torch.full_like(ids, UNASKED)
    targets[:, -1] = ids.gather(1, place + 1)[:, 0]
    return ids, targets


def selective_copying(generator: Generator, rows: int, length: int, count: int, symbols: int) -> tuple[Tensor, Tensor]:
    """`count` symbols stand among fillers; at the end, as many marks ask for them in their order
    (https://arxiv.org/abs/2312.00752)."""
    ids, targets = _empty(rows, length)
    chosen = torch.randint(FIRST, symbols, (rows, count), generator=generator)
    places = _places(generator, rows, length - count, count).sort(1).values
    ids.scatter_(1, places, chosen)
    ids[:, -count:], targets[:, -count:] = MARK, chosen
    return ids, targets


def passkey(
    generator: Generator, rows: int, length: int, distance: int, symbols: int, blank: bool = False
) -> tuple[Tensor, Tensor]:
    """A mark and a symbol among random others, with `blank` among fillers; the same mark, `distance` tokens later, at
    the end, asks for it."""
    ids = torch.randint(FIRST, symbols, (rows, length), generator=generator)
    targets = torch.full_like(ids, UNASKED)
    targets[:, -1] = ids[:, -distance]
    if blank:
        ids.fill_(FILLER)[:, -distance] = targets[:, -1]
    ids[:, -1] = ids[:, -1 - distance] = MARK
    return ids, targets


def _empty(rows: int, length: int) -> tuple[Tensor, Tensor]:
    ids = torch.full((rows, length), FILLER)
    return ids, torch.full_like(ids, UNASKED)


def _places(generator: Generator, rows: int, room: int, count: int) -> Tensor:
    """`count` different places (rows, count) below `room`, in any order."""
    return torch.rand(rows, room, generator=generator).argsort(1)[:, :count]
