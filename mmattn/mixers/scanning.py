"""What mixers with a state of fixed size share: documents, steps, heads."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mmattn.context import Context
from mmattn.errors import ConfigError
from mmattn.limits import whole
from mmattn.mixers.mixer import Mixer
from mmattn.scans import Segments

PIECE = 2**18
"""Values of x, about, that are gone through at once on a CPU. What is computed of more leaves the caches, and glibc has
buffers over 32 MB cleared by the system each time: of 65,536 tokens, that took up to half of the time."""


class Held(NamedTuple):
    """What a mixer holds of each row's last document, and that document's number (batch,), −1 where there was none."""

    inner: Any
    document: Tensor


class Scanning(Mixer):
    """A mixer whose state goes from token to token, and from call to call; a subclass writes `run`.

    Many tokens go in pieces, of fewer tokens and then of fewer rows, the state going from one to the next: that changes
    speed and memory, not the result.
    """

    chunk = 1
    """Tokens that are gone through together; a piece has whole chunks."""
    piece = PIECE
    both_ways = False
    """Whether tokens read later ones, too: a row is not gone through in pieces."""
    reads_memory = False
    """Whether `run` reads `context.memory`, which has all rows: they are not gone through in pieces."""

    def forward(self, x: Tensor, context: Context) -> Tensor:
        rows, size = self._size(x)
        if rows >= x.shape[0] and size >= x.shape[1]:
            return self.run(x, context, context.kept(Segments, _segments), None)[0]
        pieces = context.kept((Segments, rows, size), partial(_pieces, context, rows, size))
        return torch.cat([self._through(part, size, of) for part, of in zip(x.split(rows), pieces, strict=True)])

    def _through(self, x: Tensor, size: int, pieces: Sequence[tuple[Context, Segments]]) -> Tensor:
        """Rows x (batch, length, dim) piece by piece, of `size` tokens each → the same shape."""
        outs, state = [], None
        for part, (here, segments) in zip(x.split(size, 1), pieces, strict=True):
            out, state = self.run(part, here, segments, state)
            outs.append(out)
        return torch.cat(outs, 1)

    def step(self, x: Tensor, context: Context, state: Held | None) -> tuple[Tensor, Held]:
        segments = Segments.of(context.info.document, None if state is None else state.document)
        out, inner = self.run(x, context, segments, None if state is None else state.inner)
        return out, Held(inner, segments.last)

    @abstractmethod
    def run(self, x: Tensor, context: Context, segments: Segments, state: Any) -> tuple[Tensor, Any]:
        """x (batch, length, dim) → the same shape, and the new state; `state` is None where nothing was seen before."""

    def _size(self, x: Tensor) -> tuple[int, int]:
        """How many of the rows, and how many of their tokens, of x (batch, length, dim) are gone through at once."""
        rows, length, dim = x.shape
        if x.device.type != "cpu" or not x.numel():
            return max(1, rows), max(1, length)
        least = length if self.both_ways else min(self.chunk, length)
        if not self.reads_memory:
            groups = min(rows, max(1, rows * least * dim // self.piece))
            rows = math.ceil(rows / groups)  # as many in each
        if self.both_ways:
            return rows, length
        return rows, max(1, self.piece // (rows * dim) // self.chunk) * self.chunk


def _segments(info: Any) -> Segments:
    return Segments.of(info.document)


def _pieces(context: Context, rows: int, size: int, _: Any) -> list[list[tuple[Context, Segments]]]:
    """What is known of so many rows each, and of so many of their tokens each, one after the other."""
    groups = []
    for group in context.pieces(rows, size):
        pieces, before = [], None
        for here in group:
            segments = Segments.of(here.info.document, before)
            pieces.append((here, segments))
            before = segments.last
        groups.append(pieces)
    return groups


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
