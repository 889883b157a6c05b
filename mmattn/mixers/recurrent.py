"""Recurrent networks: a state that goes from token to token."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence
from torch.utils._pytree import tree_map

from mmattn.context import Context
from mmattn.errors import ConfigError, nearest
from mmattn.limits import whole
from mmattn.mixers.mixer import Mixer
from mmattn.mixers.runs import Hidden, Places, Remembered
from mmattn.sequence import PADDING, TokenInfo

KINDS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}

WASTE = 4
"""Rows of runs may be longer than what stands in them, by so much, before they are packed."""


class Recurrent(Mixer):
    """yₜ = W hₜ + b, hₜ = cell(xₜ, hₜ₋₁) by torch's RNN (tanh), GRU (https://arxiv.org/abs/1406.1078) or LSTM
    (https://doi.org/10.1162/neco.1997.9.8.1735); both ways W [h→ₜ; h←ₜ] + b.

    Each document begins with a state of zeros. torch wants the documents' lengths on the host, for which a CUDA device
    is waited for, once a batch.

    Args:
        dim: model width.
        kind: rnn, gru or lstm.
        hidden: width of the state; None: `dim`, or half of it where both ways are gone.
        both_ways: a second network goes from the last token to the first; such a layer is not causal and has no step.
        span: at first, units of a GRU or an LSTM remember for 1 to so many tokens (chrono initialisation,
            https://arxiv.org/abs/1804.11188); None: as torch begins, where half is left after each token.
    """

    def __init__(
        self,
        dim: int,
        kind: str = "lstm",
        *,
        hidden: int | None = None,
        both_ways: bool = False,
        span: int | None = None,
    ) -> None:
        super().__init__()
        if str(kind) not in KINDS:
            known = f"known: {', '.join(KINDS)}.{nearest(str(kind), KINDS)}"
            raise ConfigError(f"There is no recurrent kind '{kind}'; {known}")
        hidden = max(dim // (2 if both_ways else 1), 1) if hidden is None else hidden
        whole("hidden", hidden, 1)
        if span is not None:
            whole("span", span, 3)
            if kind == "rnn":
                raise ConfigError(f"span={span}: kind=rnn has no gate that keeps its state; set it to null.")
        self.there = KINDS[kind](dim, hidden, batch_first=True)
        self.back = KINDS[kind](dim, hidden, batch_first=True) if both_ways else None
        if span is not None:
            for network in filter(None, (self.there, self.back)):
                _remember(network, span)
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
        return places.put(self.out(places.of_each(states, places.place)), x), places.after(before, last)

    def states(self, network: nn.RNNBase, x: Tensor, places: Places, place: Tensor) -> Tensor:
        """The state (tokens, hidden) at each token of x (batch, length, dim), which has `place` in its run."""
        if not places.lengths:
            return x.new_zeros(0, network.hidden_size)
        runs = places.runs(x, place)
        # On a CPU, backward through packed runs of an RNN or GRU fills zeros of the whole batch's size at each step; a
        # packed LSTM is not handed to oneDNN.
        rows = runs.shape[0] * runs.shape[1]
        if not x.is_cuda and rows <= WASTE * len(place):
            return places.of_each(_as_it_is(network, runs)[0], place)
        return places.of_each(self.packed(network, runs, places, None)[0], place)

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


@torch.no_grad()
def _remember(network: Any, span: int) -> None:
    """At first a unit keeps t/(t + 1) of its state at each token and adds 1/(t + 1) of what is new, t being drawn from
    1 to `span` − 1."""
    bias, hidden = network.bias_ih_l0, network.hidden_size
    keep = torch.empty(hidden).uniform_(1, span - 1).log()
    bias[hidden : 2 * hidden] += keep  # an LSTM's forget gate, a GRU's update gate
    if isinstance(network, nn.LSTM):
        bias[:hidden] -= keep  # its input gate; a GRU adds what it does not keep


def _as_it_is(network: nn.RNNBase, runs: Any, first: Any = None) -> tuple[Any, Any]:
    """torch's network; on a CPU in the weights' own precision: there, oneDNN's LSTM refuses autocast's."""
    data = runs.data if isinstance(runs, PackedSequence) else runs
    if data.is_cuda:
        return network(runs, first)
    kind = network.weight_ih_l0.dtype
    first = None if first is None else tree_map(lambda each: each.to(kind), first)
    with torch.autocast("cpu", enabled=False):
        return network(runs.to(kind), first)
