"""What a layer may know besides its tokens."""

from __future__ import annotations

from dataclasses import dataclass, field

from mmattn.patterns import Pattern, Visibility
from mmattn.positions import Position, Rotation
from mmattn.sequence import TokenInfo


@dataclass(frozen=True, eq=False)
class Context:
    """Facts of the tokens and their positions; masks and rotary tables are made once a batch, not once a layer."""

    info: TokenInfo
    position: Position
    _visibilities: dict[Pattern, Visibility] = field(default_factory=dict)
    _rotations: dict[int, Rotation | None] = field(default_factory=dict)

    def visibility(self, pattern: Pattern) -> Visibility:
        """Who sees whom among these tokens under a pattern."""
        if pattern not in self._visibilities:
            self._visibilities[pattern] = Visibility(pattern, self.info)
        return self._visibilities[pattern]

    def rotation(self, head_dim: int) -> Rotation | None:
        """The rotary tables for heads of this width, or None."""
        if head_dim not in self._rotations:
            self._rotations[head_dim] = self.position.rotation(self.info, head_dim)
        return self._rotations[head_dim]
