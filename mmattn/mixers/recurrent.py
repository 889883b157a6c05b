"""Recurrent networks: a state that goes from token to token."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mmattn.context import Context
from mmattn.errors import ConfigError, nearest
from mmattn.mixers.mixer import Mixer
from mmattn.sequence import PADDING, TokenInfo

KINDS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}

Hidden = tuple[Tensor, ...]
"""What the network remembers of each document: h, and c of an LSTM, each (documents, hidden)."""


class Remembered(NamedTuple):
    """What each row's last document left behind, and that document's number (batch,), −1 where there was none."""

    hidden: Hidden
    document: Tensor


class Recurrent(Mixer):
    """out([h₁ … hₙ]) with hₜ = cell(xₜ, hₜ₋₁): torch's RNN (tanh), GRU or LSTM (https://doi.org/10.1162/neco.1997.9.8.1735).

    Each document begins with a state of zeros. torch wants documents' lengths on the host, so that a batch of unlike
    lengths, or of several documents a row, waits for a CUDA device once a layer.

    Args:
        dim: model width.
        kind: rnn, gru or lstm.
        hidden: width of the state; None: `dim`, or half of it where both ways are gone.
        both_ways: a second network goes from the last token to the first; such a layer is not causal and has no step.
    """

    def __init__(self, dim: int, kind: str = "lstm", *, hidden: int | None = None, both_ways: bool = False) -> None:
        super().__init__()
        if kind not in KINDS:
            raise ConfigError(f"There is no recurrent kind '{kind}'; known: {', '.join(KINDS)}.{nearest(kind, KINDS)}")
        hidden = max(dim // (2 if both_ways else 1), 1) if hidden is None else hidden
        if hidden < 1:
            raise ConfigError(f"hidden={hidden} must be at least 1, or null.")
        self.both_ways = both_ways
        self.cells = KINDS[kind](dim, hidden, batch_first=True, bidirectional=both_ways)
        self.out = nn.Linear(hidden * (2 if both_ways else 1), dim)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        return self.run(x, context.info, None)[0]

    def step(self, x: Tensor, context: Context, state: Remembered | None) -> tuple[Tensor, Remembered]:
        """Raises `ConfigError` for a layer that goes both ways: later tokens are not there yet."""
        if self.both_ways:
            raise ConfigError("A recurrent layer that goes both ways has no next step; set both_ways=false.")
        return self.run(x, context.info, state)

    def run(self, x: Tensor, info: TokenInfo, state: Remembered | None) -> tuple[Tensor, Remembered]:
        """x (batch, length, dim) → the same shape, zeros at padding, and what is remembered after it."""
        places = Places(info)
        before = self.remembered(x, state)
        if not len(places.lengths):
            return x.new_zeros(x.shape), before
        runs = x.new_zeros(len(places.lengths), places.longest, x.shape[-1])
        runs = runs.index_put((places.run, places.step), x[info.real])
        hidden = self.cells_over(runs, places, before)
        out = x.new_zeros(x.shape).masked_scatter(info.real[..., None], self.out(hidden[0][places.run, places.step]))
        return out, places.after(before, hidden[1])

    def cells_over(self, runs: Tensor, places: Places, before: Remembered) -> tuple[Tensor, Hidden]:
        """Of each run (runs, longest, dim) all states (runs, longest, hidden), and the last one."""
        first = None
        if not self.both_ways:
            goes_on = (places.begins & (places.document == before.document[places.row]))[:, None]
            first = tuple(torch.where(goes_on, each[places.row], 0)[None].contiguous() for each in before.hidden)
        start = first[0] if first is not None and len(first) == 1 else first
        packed = pack_padded_sequence(runs, places.lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, last = self.cells(packed, start)
        return pad_packed_sequence(states, batch_first=True)[0], tuple(
            each[-1] for each in (last if isinstance(last, tuple) else (last,))
        )

    def remembered(self, x: Tensor, state: Remembered | None) -> Remembered:
        """The state, or that of rows of which nothing was seen."""
        if state is not None:
            return state
        count = 2 if isinstance(self.cells, nn.LSTM) else 1
        hidden = tuple(x.new_zeros(len(x), self.cells.hidden_size) for _ in range(count))
        return Remembered(hidden, torch.full((len(x),), PADDING, device=x.device))


class Places:
    """Where the tokens of a batch stand in runs: a document's tokens in a row. Runs are numbered row by row.

    run, step: of each real token. row, document, begins: of each run; whether it is the first in its row.
    """

    def __init__(self, info: TokenInfo) -> None:
        document, real = info.document, info.real
        before = nn.functional.pad(document, (1, 0), value=PADDING)[:, :-1]
        starts = real & (document != before)
        number = starts.flatten().cumsum(0).view_as(document) - 1
        self.run = number[real]
        self.row = torch.arange(len(document), device=document.device)[:, None].expand_as(document)[starts]
        self.document = document[starts]
        self.begins = starts.cumsum(1)[starts] == 1
        self.lengths = torch.bincount(self.run, minlength=len(self.row))
        self.longest = int(self.lengths.max()) if len(self.lengths) else 0
        ends = self.lengths.cumsum(0)
        self.step = torch.arange(len(self.run), device=document.device) - (ends - self.lengths)[self.run]

    def after(self, before: Remembered, last: Hidden) -> Remembered:
        """What each row's last run leaves; a row without tokens keeps what it had. Both ways, h is the second's."""
        ends = torch.ones_like(self.begins)
        ends[:-1] = self.row[1:] != self.row[:-1]
        row, hidden = self.row[ends], []
        for old, new in zip(before.hidden, last, strict=True):
            hidden.append(old.index_put((row,), new[ends].to(old.dtype)))
        return Remembered(tuple(hidden), before.document.index_put((row,), self.document[ends]))
