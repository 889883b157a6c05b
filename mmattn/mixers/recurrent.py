"""Recurrent networks: a state that goes from token to token."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence
from torch.utils._pytree import tree_map

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


WASTE = 4
"""Rows of runs may be longer than what stands in them, by so much, before they are packed."""


class Recurrent(Mixer):
    """out([h₁ … hₙ]) with hₜ = cell(xₜ, hₜ₋₁): torch's RNN (tanh), GRU or LSTM (https://doi.org/10.1162/neco.1997.9.8.1735).

    Each document begins with a state of zeros. torch wants the documents' lengths on the host, for which a CUDA device
    is waited for, once a batch.

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
        self.there = KINDS[kind](dim, hidden, batch_first=True)
        self.back = KINDS[kind](dim, hidden, batch_first=True) if both_ways else None
        self.out = nn.Linear(hidden * (2 if both_ways else 1), dim)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        places = context.kept(Places, Places)
        run, place = places.run, places.place
        states = [self.states(self.there, x, places, place)]
        if self.back is not None:
            states.append(self.states(self.back, x, places, places.length[run] - 1 - place))
        return places.put(self.out(torch.cat(states, -1)), x)

    def step(self, x: Tensor, context: Context, state: Remembered | None) -> tuple[Tensor, Remembered]:
        """Raises `ConfigError` for a layer that goes both ways: later tokens are not there yet."""
        if self.back is not None:
            raise ConfigError("A recurrent layer that goes both ways has no next step; set both_ways=false.")
        places = context.kept(Places, Places)
        before = self.nothing(x, context.info) if state is None else state
        if not places.lengths:
            return torch.zeros_like(x), before
        states, last = self.packed(self.there, places.runs(x, places.place), places, places.begin(before))
        return places.put(self.out(states[places.run, places.place]), x), places.after(before, last)

    def states(self, network: nn.RNNBase, x: Tensor, places: Places, place: Tensor) -> Tensor:
        """The state (tokens, hidden) at each token of x (batch, length, dim), which has `place` in its run."""
        if not places.lengths:
            return x.new_zeros(0, network.hidden_size)
        runs = places.runs(x, place)
        # On a CPU torch hands an LSTM to oneDNN, which is several times faster, unless it is packed.
        rows = runs.shape[0] * runs.shape[1]
        if isinstance(network, nn.LSTM) and not x.is_cuda and rows <= WASTE * len(place):
            return _as_it_is(network, runs)[0][places.run, place]
        return self.packed(network, runs, places, None)[0][places.run, place]

    def packed(self, network: nn.RNNBase, runs: Tensor, places: Places, first: Hidden | None) -> tuple[Tensor, Hidden]:
        """States (runs, longest, hidden), and what each run ends with; what follows a run is not gone through."""
        packed = pack_padded_sequence(runs, torch.tensor(places.lengths), batch_first=True, enforce_sorted=False)
        states, last = _as_it_is(network, packed, first[0] if first and len(first) == 1 else first)
        ends = last if isinstance(last, tuple) else (last,)
        return pad_packed_sequence(states, batch_first=True)[0], tuple(each[-1] for each in ends)

    def nothing(self, x: Tensor, info: TokenInfo) -> Remembered:
        """What is remembered of rows of which nothing was seen."""
        count = 2 if isinstance(self.there, nn.LSTM) else 1
        hidden = tuple(x.new_zeros(len(x), self.there.hidden_size) for _ in range(count))
        return Remembered(hidden, info.document.new_full((len(x),), PADDING))


def _as_it_is(network: nn.RNNBase, runs: Any, first: Any = None) -> tuple[Any, Any]:
    """torch's network; on a CPU in the weights' own precision: there, oneDNN's LSTM refuses autocast's."""
    data = runs.data if isinstance(runs, PackedSequence) else runs
    if data.is_cuda:
        return network(runs, first)
    kind = network.weight_ih_l0.dtype
    first = None if first is None else tree_map(lambda each: each.to(kind), first)
    with torch.autocast("cpu", enabled=False):
        return network(runs.to(kind), first)


class Places:
    """Where the tokens of a batch stand in runs: a document's tokens in a row of tokens, without padding.

    row, column, run, place: of each token, where it stands in the batch, and where in its run. length, lengths: of each
    run, here and on the host. run_row, document, begins: of each run; whether it is the first in its row.
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

    def runs(self, x: Tensor, place: Tensor) -> Tensor:
        """x (batch, length, dim) as runs (runs, longest, dim) with each token at `place`, zeros behind the end."""
        empty = x.new_zeros(len(self.lengths), max(self.lengths), x.shape[-1])
        return empty.index_put((self.run, place), x[self.row, self.column])

    def put(self, made: Tensor, x: Tensor) -> Tensor:
        """What was made of each token (tokens, dim), in the shape of x, zeros at padding."""
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
