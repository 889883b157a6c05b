"""What mixers with a state of fixed size share: documents, steps, heads."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple

from torch import Tensor

from mmattn.context import Context
from mmattn.errors import ConfigError
from mmattn.limits import whole
from mmattn.mixers.mixer import Mixer
from mmattn.scans import Segments


class Held(NamedTuple):
    """What a mixer holds of each row's last document, and that document's number (batch,), −1 where there was none."""

    inner: Any
    document: Tensor


class Scanning(Mixer):
    """A mixer whose state goes from token to token, and from call to call; a subclass writes `run`."""

    def forward(self, x: Tensor, context: Context) -> Tensor:
        return self.run(x, context, context.kept(Segments, _segments), None)[0]

    def step(self, x: Tensor, context: Context, state: Held | None) -> tuple[Tensor, Held]:
        segments = Segments.of(context.info.document, None if state is None else state.document)
        out, inner = self.run(x, context, segments, None if state is None else state.inner)
        return out, Held(inner, segments.last)

    @abstractmethod
    def run(self, x: Tensor, context: Context, segments: Segments, state: Any) -> tuple[Tensor, Any]:
        """x (batch, length, dim) → the same shape, and the new state; `state` is None where nothing was seen before."""


def _segments(info: Any) -> Segments:
    return Segments.of(info.document)


def split(x: Tensor, heads: int) -> Tensor:
    """(batch, length, heads · width) → (batch, heads, length, width)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def merge(x: Tensor) -> Tensor:
    """(batch, heads, length, width) → (batch, length, heads · width)."""
    return x.transpose(1, 2).flatten(-2)


def check_heads(heads: int, chunk: int, **widths: int) -> None:
    """Raises `ConfigError` unless `heads` divides each width, by name, and a chunk holds something."""
    whole("heads", heads, 1)
    for name, width in widths.items():
        whole(name, width, 1)
        if width % heads:
            raise ConfigError(f"heads={heads} does not divide {name}={width}; choose a divisor.")
    whole("chunk", chunk, 1)
