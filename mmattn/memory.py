"""A sequence that layers read, and what they made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmattn.sequence import TokenSequence


class Memory:
    """Tokens that cross-attention reads. Each layer makes its keys and values of them once, however often it reads.

    It is the reader's state: pass the same one to every sampling step or decoding step of the same batch, and a new one
    when the tokens or the weights have changed.
    """

    def __init__(self, tokens: TokenSequence) -> None:
        self.tokens = tokens.zero_padding()  # kernels multiply padding by 0, and 0 · NaN is NaN
        self._kept: dict[Any, Any] = {}

    def kept(self, layer: Any, make: Callable[[TokenSequence], Any]) -> Any:
        """What `make` gives of the tokens, made when a layer first asks."""
        if layer not in self._kept:
            self._kept[layer] = make(self.tokens)
        return self._kept[layer]
