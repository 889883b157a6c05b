"""What a layer may know besides its tokens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from mmattn.errors import ConfigError
from mmattn.memory import Memory
from mmattn.patterns import Pattern, Visibility
from mmattn.positions import Position, Rotation
from mmattn.sequence import TokenInfo


@dataclass(frozen=True, eq=False)
class Context:
    """Facts of the tokens and their positions; masks and rotary tables are made once a batch, not once a layer.

    memory: another sequence of the same documents, which cross-attention reads.
    condition: (documents, dim), what adaptive norms follow.
    """

    info: TokenInfo
    position: Position
    memory: Memory | None = None
    condition: Tensor | None = None
    _visibilities: dict[tuple[Pattern, bool], Visibility] = field(default_factory=dict)
    _rotations: dict[int, Rotation | None] = field(default_factory=dict)
    _kept: dict[Any, Any] = field(default_factory=dict)

    def visibility(self, pattern: Pattern) -> Visibility:
        """Who sees whom among these tokens under a pattern."""
        if (pattern, False) not in self._visibilities:
            self._visibilities[pattern, False] = Visibility(pattern, self.info)
        return self._visibilities[pattern, False]

    def memory_visibility(self, pattern: Pattern) -> Visibility:
        """Which tokens of the memory these tokens see under a pattern."""
        if (pattern, True) not in self._visibilities:
            self._visibilities[pattern, True] = Visibility(pattern, self.info, self.read().tokens.info)
        return self._visibilities[pattern, True]

    def read(self) -> Memory:
        """The memory. Raises `ConfigError` where there is none."""
        if self.memory is None:
            raise ConfigError(
                "A cross-attention layer reads another sequence, and this model is given none: choose a task that has "
                "a context (text_to_image, sequence_to_sequence), or leave the layer out of backbone.layers."
            )
        return self.memory

    def rotation(self, head_dim: int) -> Rotation | None:
        """The rotary tables for heads of this width, or None."""
        if head_dim not in self._rotations:
            self._rotations[head_dim] = self.position.rotation(self.info, head_dim)
        return self._rotations[head_dim]

    def kept(self, name: Any, make: Callable[[TokenInfo], Any]) -> Any:
        """What `make` gives of the tokens' facts, kept under a name: made once a batch, not once a layer."""
        if name not in self._kept:
            self._kept[name] = make(self.info)
        return self._kept[name]

    def pieces(self, rows: int, size: int) -> list[list[Context]]:
        """The contexts of so many rows each, and of so many of their tokens each, one after the other; the memory and
        the condition are those of all rows."""

        def split(info: TokenInfo) -> list[list[Context]]:
            return [
                [Context(each, self.position, self.memory, self.condition) for each in group]
                for group in info.split(rows, size)
            ]

        pieces: list[list[Context]] = self.kept((Context, rows, size), split)
        return pieces

    def of_tokens(self, values: Tensor) -> Tensor:
        """values (documents, …) as what each token's document has: (batch, length or 1, …)."""
        document = self.info.document.clamp(min=0)
        if self.info.layout.one_document and document.shape[1]:
            document = document.amax(1, keepdim=True)
        return values[document]
