"""Prepared samples kept in memory, up to a limit."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mmattn.tokenizer import Prepared

OBJECT_BYTES = 600  # of a tensor besides its values


class Kept:
    """The first samples that fit into `limit` bytes; the others are made anew each time that they are asked for.

    Which ones are kept never changes: samples come in random order, so that no other choice would be asked for more.
    Tensors that equal those of the sample kept before, such as an image's with another caption, are kept once.
    """

    def __init__(self, make: Callable[[int], Prepared], limit: float) -> None:
        self._make, self._limit, self._room = make, limit, limit
        self._found: dict[int, Prepared] = {}
        self._latest: Prepared = {}

    def __getstate__(self) -> dict[str, Any]:
        """Without the samples: a spawned worker makes its own, for torch would open a file for each tensor sent."""
        return {**self.__dict__, "_room": self._limit, "_found": {}, "_latest": {}}

    def __getitem__(self, index: int) -> Prepared:
        if index in self._found:
            return self._found[index]
        prepared = self._make(index)
        self.offer(index, prepared)
        return prepared

    def __len__(self) -> int:
        return len(self._found)

    def offer(self, index: int, prepared: Prepared) -> None:
        """Keep a sample if there is room for it."""
        prepared = _sharing(prepared, self._latest)
        size = sum(_bytes(value, self._latest.get(name)) for name, value in prepared.items())
        if size <= self._room:
            self._room -= size
            self._found[index] = self._latest = prepared


def _sharing(value: Any, other: Any) -> Any:
    """The value, but with the tensors of the other where they equal its own."""
    if isinstance(value, dict):
        return {name: _sharing(each, _inside(other, name)) for name, each in value.items()}
    if isinstance(value, Tensor) and isinstance(other, Tensor) and value.dtype == other.dtype:
        return other if torch.equal(value, other) else value
    return value


def _inside(value: Any, name: Any) -> Any:
    return value.get(name) if isinstance(value, dict) else None


def _bytes(value: Any, other: Any) -> int:
    """Memory of a value, without the tensors that it shares with the other."""
    if isinstance(value, Tensor):
        # A view holds all of what it looks at.
        return 0 if value is other else value.untyped_storage().nbytes() + OBJECT_BYTES
    if isinstance(value, dict):
        return sys.getsizeof(value) + sum(_bytes(each, _inside(other, name)) for name, each in value.items())
    return max(getattr(value, "nbytes", 0), sys.getsizeof(value))  # that of an array holds its values, of a view not
