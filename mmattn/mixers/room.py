"""Keys and values that grow a step at a time, held once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class Room:
    """Tensors (batch, heads, length, width) with room behind them for what later steps add.

    Put together anew at each step, those of n steps would be copied n² / 2 times; so they are copied when the room
    has doubled. Nothing that was written is written again: who goes on from an earlier step gets a room of their own.
    """

    def __init__(self, tensors: Sequence[Tensor], size: int) -> None:
        self.filled = tensors[0].shape[2]
        self.held = [each.new_empty(*each.shape[:2], size, each.shape[3]) for each in tensors]
        for held, each in zip(self.held, tensors, strict=True):
            held[:, :, : self.filled] = each

    def add(self, more: Sequence[Tensor]) -> list[Tensor]:
        """All that was added so far, as views."""
        start, self.filled = self.filled, self.filled + more[0].shape[2]
        for held, each in zip(self.held, more, strict=True):
            held[:, :, start : self.filled] = each
        return [held[:, :, : self.filled] for held in self.held]

    def fits(self, tensors: Sequence[Tensor], size: int) -> bool:
        """Whether these are all that was written here, and so many find room."""
        mine = self.filled == tensors[0].shape[2] and size <= self.held[0].shape[2]
        return mine and (torch.is_inference_mode_enabled() or not self.held[0].is_inference())


def grown(tensors: Sequence[Tensor], more: Sequence[Tensor], room: Room | None) -> tuple[list[Tensor], Room | None]:
    """Each tensor with more behind it, and the room in which they stand; none where gradients may be asked for."""
    if torch.is_grad_enabled():
        return [torch.cat(pair, 2) for pair in zip(tensors, more, strict=True)], None
    size = tensors[0].shape[2] + more[0].shape[2]
    if room is None or not room.fits(tensors, size):
        room = Room(tensors, 2 * size)
    return room.add(more), room
