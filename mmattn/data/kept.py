"""Prepared samples kept in memory, up to a limit."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from torch import Tensor

from mmattn.tokenizer import Prepared

OBJECT_BYTES = 600  # of a tensor besides its values


class Kept:
    """The first samples that fit into `limit` bytes; the others are made anew each time that they are asked for.

    Which ones are kept never changes: samples come in random order, so that no other choice would be asked for more.
    """

    def __init__(self, make: Callable[[int], Prepared], limit: float) -> None:
        self._make, self._limit, self._room = make, limit, limit
        self._found: dict[int, Prepared] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Without the samples: a spawned worker makes its own, for torch would open a file for each tensor sent."""
        return {**self.__dict__, "_room": self._limit, "_found": {}}

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
        size = sum(map(_bytes, prepared.values()))
        if size <= self._room:
            self._room -= size
            self._found[index] = prepared


def _bytes(value: Any) -> int:
    if isinstance(value, Tensor):
        return value.untyped_storage().nbytes() + OBJECT_BYTES  # a view holds all of what it looks at
    if isinstance(value, dict):
        return sys.getsizeof(value) + sum(map(_bytes, value.values()))
    return max(getattr(value, "nbytes", 0), sys.getsizeof(value))  # that of an array holds its values, of a view not
