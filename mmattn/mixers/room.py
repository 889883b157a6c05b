"""Keys and values that grow a step at a time, held once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

SPARE = 64
"""Tokens, at least, that find room behind those that are held: a quarter of them, where that is more."""


class Room:
    """Tensors (batch, heads, length, width) with room behind them for what later steps add.

    Put together anew at each step, those of n steps would be copied n² / 2 times; so they are copied when the room is
    full. Nothing that was written is written again: who goes on from an earlier step, or from tensors that were
    changed, gets a room of their own. A room is for one thread.
    """

    def __init__(self, tensors: Sequence[Tensor], more: Sequence[Tensor]) -> None:
        length = tensors[0].shape[2]
        size = length + more[0].shape[2]
        size += max(SPARE, size // 4)
        self.given = list(tensors)
        self.held = [
            each.new_empty(*each.shape[:2], size, each.shape[3], dtype=torch.promote_types(each.dtype, new.dtype))
            for each, new in zip(tensors, more, strict=True)
        ]
        for held, each in zip(self.held, tensors, strict=True):
            held[:, :, :length] = each

    def add(self, more: Sequence[Tensor]) -> list[Tensor]:
        """All that was added so far, as views."""
        start = self.given[0].shape[2]
        stop = start + more[0].shape[2]
        for held, new in zip(self.held, more, strict=True):
            held.data[:, :, start:stop] = new  # autograd need not know: what it may have kept is not touched
        self.given = [held[:, :, :stop] for held in self.held]
        return self.given

    def fits(self, tensors: Sequence[Tensor], more: Sequence[Tensor]) -> bool:
        """Whether these are what was given out last, and more finds room behind it, as what it is."""
        if any(one is not other for one, other in zip(self.given, tensors, strict=True)):
            return False
        if self.held[0].is_inference() and not torch.is_inference_mode_enabled():
            return False
        return all(
            given.shape[2] + new.shape[2] <= held.shape[2] and torch.promote_types(held.dtype, new.dtype) == held.dtype
            for given, new, held in zip(self.given, more, self.held, strict=True)
        )


def extended(tensors: Sequence[Tensor], more: Sequence[Tensor], room: Room | None) -> tuple[list[Tensor], Room | None]:
    """Each tensor with more behind it, and the room in which they stand; none where gradients may be asked for."""
    if torch.is_grad_enabled():
        return [torch.cat(pair, 2) for pair in zip(tensors, more, strict=True)], None
    if room is None or not room.fits(tensors, more):
        room = Room(tensors, more)
    return room.add(more), room
