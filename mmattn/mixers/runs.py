"""Documents as rows of their own, for mixers that go from token to token."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mmattn.sequence import TokenInfo

Hidden = tuple[Tensor, ...]
"""What the network remembers of each document: h, and c of an LSTM, each (documents, hidden)."""


class Remembered(NamedTuple):
    """What each row's last document left behind, and that document's number (batch,), −1 where there was none."""

    hidden: Hidden
    document: Tensor


class Places:
    """Where the tokens of a batch stand in runs: a document's tokens in a row of tokens, without padding.

    row, column, run, place: of each token, where it stands in the batch, and where in its run. length, lengths: of each
    run, here and on the host. run_row, document, begins: of each run; whether it is the first in its row. whole: each
    row is a run, so that nothing needs to be moved.
    """

    def __init__(self, info: TokenInfo) -> None:
        self.row, self.column = info.real.nonzero(as_tuple=True)
        document = info.document[self.row, self.column]
        starts = torch.ones_like(document, dtype=torch.bool)
        starts[1:] = (self.row[1:] != self.row[:-1]) | (document[1:] != document[:-1])
        first = starts.nonzero()[:, 0]
        self.run = starts.cumsum(0) - 1
        self.place = torch.arange(len(document), device=document.device) - first[self.run]
        self.run_row, self.document = self.row[first], document[first]
        self.begins = torch.ones_like(self.run_row, dtype=torch.bool)
        self.begins[1:] = self.run_row[1:] != self.run_row[:-1]
        self.length = torch.bincount(self.run, minlength=len(first))
        self.lengths: list[int] = self.length.tolist()
        self.whole = self.lengths == [info.document.shape[1]] * len(info.document)

    def runs(self, x: Tensor, place: Tensor) -> Tensor:
        """x (batch, length, dim) as runs (runs, longest, dim) with each token at `place`, zeros behind the end."""
        if self.whole and place is self.place:
            return x
        empty = x.new_zeros(len(self.lengths), max(self.lengths), x.shape[-1])
        return empty.index_put((self.run, place), x[self.row, self.column])

    def of_each(self, states: Tensor, place: Tensor) -> Tensor:
        """Of states (runs, longest, hidden) that of each token (tokens, hidden), which has `place` in its run."""
        return states.flatten(0, 1) if self.whole and place is self.place else states[self.run, place]

    def put(self, made: Tensor, x: Tensor) -> Tensor:
        """What was made of each token (tokens, dim), in the shape of x, zeros at padding."""
        if self.whole:
            return made.unflatten(0, x.shape[:2])
        return made.new_zeros(*x.shape[:2], made.shape[-1]).index_put((self.row, self.column), made)

    def begin(self, before: Remembered) -> Hidden:
        """The state (1, runs, hidden) that each run starts from: a row's first goes on where its document does."""
        goes_on = (self.begins & (self.document == before.document[self.run_row]))[:, None]
        return tuple(torch.where(goes_on, each[self.run_row], 0)[None].contiguous() for each in before.hidden)

    def after(self, before: Remembered, last: Hidden) -> Remembered:
        """What each row's last run leaves; a row without tokens keeps what it had."""
        ends = self.begins.roll(-1)  # the last run's successor is the first one, which begins a row
        row = self.run_row[ends]
        hidden = tuple(
            old.index_put((row,), new[ends].to(old.dtype)) for old, new in zip(before.hidden, last, strict=True)
        )
        return Remembered(hidden, before.document.index_put((row,), self.document[ends]))
