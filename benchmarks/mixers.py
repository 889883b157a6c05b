"""`mmattn bench mixers`: states of fixed size beside attention, and beside other libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from mmattn.benchmarks.machine import missing
from mmattn.benchmarks.mixing import DIM, Call, grown, made, mixing, rival, tokens, trained, training
from mmattn.benchmarks.ratio import Ratio, ratio, timed
from mmattn.benchmarks.scale import Point
from mmattn.benchmarks.timing import paired, quartiles
from mmattn.context import Context
from mmattn.errors import MmattnError
from mmattn.mixers import Mamba2, Mixer, Recurrent
from mmattn.positions import Position
from mmattn.sequence import PADDING, TokenInfo

LENGTHS = (256, 512, 1024, 2048, 4096)
SCALE = (1024, 4096, 16384, 65536)
EARLY, LATE = 16, 16384
CHUNKS = (256, 64)
"""Of the transformers library's layer: as it comes, and as ours."""
STATES = (16, 64)
"""Of our layer beside mambapy's: as that comes, and as ours does."""
TOLERANCE = 1e-3  # of sums over thousands of tokens, in float32


def mamba2(turns: int, chunk: int, length: int = 4096) -> Ratio:
    """Ours against the transformers library's layer with the same weights, in chunks of its own (256 as it comes; ours
    has 64): that library has no kernel for a CPU and goes its path in torch. Raises MmattnError where it is missing."""
    _needs("transformers")
    from transformers.models.mamba2.configuration_mamba2 import Mamba2Config
    from transformers.models.mamba2.modeling_mamba2 import Mamba2Mixer

    torch.manual_seed(0)
    ours = Mamba2(DIM)
    heads, head_dim = len(ours.skip), ours.head_dim
    config = Mamba2Config(
        hidden_size=DIM, num_heads=heads, head_dim=head_dim, state_size=64, n_groups=1, expand=2, conv_kernel=4,
        chunk_size=chunk, use_bias=False, num_hidden_layers=1,
    )  # fmt: skip
    theirs, own = Mamba2Mixer(config, layer_idx=0), ours.state_dict()
    theirs.load_state_dict({name: own[mine] for name, mine in NAMES.items()})
    mine, other = _sides(ours, theirs, length)
    return ratio(f"Mamba-2, {length:,} tokens", mine, f"transformers, chunks of {chunk}", other, turns, TOLERANCE)


NAMES = {
    "in_proj.weight": "enter.weight", "conv1d.weight": "convolution.convolution.weight", "dt_bias": "time",
    "conv1d.bias": "convolution.convolution.bias", "A_log": "log_rate", "D": "skip", "norm.weight": "scale",
    "out_proj.weight": "out.weight",
}  # fmt: skip
"""The transformers library's names of a layer's weights, and ours."""


def mambapy(state: int, turns: int, length: int = 4096) -> dict[str, Any]:
    """Seconds of our Mamba-2 ÷ those of mambapy's Mamba as it comes, forward and backward, in turns. Both are as wide
    inside; theirs is the first Mamba, another layer, so that results are not compared: that library's Mamba-2 needs
    kernels for CUDA. Raises MmattnError where it is missing."""
    _needs("mambapy")
    from mambapy.mamba import MambaBlock, MambaConfig

    torch.manual_seed(0)
    config = MambaConfig(d_model=DIM, n_layers=1)
    sides = _sides(Mamba2(DIM, state=state), MambaBlock(config), length)
    return {"state": state, "other_state": config.d_state, "length": length, **_ratios(*sides, turns)}


def _needs(package: str) -> None:
    if refusal := missing(package):
        raise MmattnError(refusal)


def _sides(ours: Mixer, theirs: nn.Module, length: int) -> tuple[Call, Call]:
    """Our layer and another library's over the same row of tokens, forward and backward."""
    x = tokens(length)
    mine = partial(mixing, ours, x, TokenInfo.from_lengths([length]))
    return trained(ours, mine, x), trained(theirs, partial(theirs, x), x)


def against_attention(name: str, length: int, turns: int) -> dict[str, Any]:
    """Seconds of a mixer ÷ those of fused attention to all tokens that it sees, forward and backward, in turns."""
    ours, other = training(name, length), training(rival(name), length)
    return {"mixer": name, "length": length, **_ratios(ours, other, turns)}


def _ratios(ours: Callable[[], Any], other: Callable[[], Any], turns: int) -> dict[str, float]:
    """Of their seconds, in turns, each warmed up before."""
    ours(), other()
    low, median, high = quartiles(paired(ours, other, turns).ratios)
    return {"ratio": median, "ratio_low": low, "ratio_high": high}


def scaling(names: Sequence[str], lengths: Sequence[int], turns: int, threads: int) -> Iterator[Point]:
    """Each mixer at each length."""
    for name in names:
        for length in lengths:
            yield grown(name, length, turns, threads)


@torch.no_grad()
def decoding(name: str, turns: int) -> dict[str, Any]:
    """Seconds of a step behind 16,384 tokens ÷ those of one behind 16, in turns."""
    mixer = made(name)
    late, early = (partial(_step, mixer, _behind(mixer, count), count) for count in (LATE, EARLY))
    return {"mixer": name, "early": EARLY, "late": LATE, **_ratios(late, early, turns)}


STEPS = 32  # of a turn


def _behind(mixer: Mixer, count: int) -> Any:
    """The state behind so many tokens, read in pieces."""
    state, piece = None, min(count, 1024)
    for start in range(0, count, piece):
        x = tokens(piece)
        state = mixer.step(x, _at(start, piece), state)[1]
    return state


def _step(mixer: Mixer, state: Any, count: int) -> Tensor:
    x = tokens(1)
    for place in range(count, count + STEPS):
        out, state = mixer.step(x, _at(place, 1), state)
    return out


def _at(start: int, count: int) -> Context:
    info = TokenInfo.from_lengths([count])
    order = info.order + start
    return Context(TokenInfo(order, order[..., None], info.document, info.modality, info.is_global), Position())


LAYOUTS = {
    "whole rows": [[512]] * 8,
    "padding": [[64 * (row + 1)] for row in range(8)],
    "documents": [[64 * (row + 1), 448 - 64 * row] if row < 7 else [512] for row in range(8)],
}
"""Lengths of the documents in each of eight rows of 512 tokens."""


def recurrent(kind: str, layout: str, turns: int) -> Ratio:
    """Our layer against torch's own network and matrix, which are given each document as a row, sorted out before."""
    torch.manual_seed(0)
    ours, rows = Recurrent(DIM, kind), LAYOUTS[layout]
    lengths = [count for row in rows for count in row]
    document = torch.full((len(rows), max(map(sum, rows))), PADDING)
    numbers = iter(range(len(lengths)))
    for row, counts in zip(document, rows, strict=True):
        row[: sum(counts)] = torch.cat([torch.full((count,), next(numbers)) for count in counts])
    order = torch.cat([torch.arange(count) for count in lengths])
    info = TokenInfo.from_lengths(list(map(sum, rows)))
    info = replace(info, document=document, known_layout=None, order=info.order.masked_scatter(info.real, order))
    info = replace(info, known_layout=info.layout)
    x = tokens(document.shape[1], len(rows))
    runs = pad_sequence([x.detach()[document == number] for number in range(len(lengths))], batch_first=True)
    runs.requires_grad_()

    def other() -> Tensor:  # not packed: on a CPU that is slower, by far with long rows of a GRU
        return ours.out(ours.there(runs)[0])

    mine = trained(ours, partial(mixing, ours, x, info), x)
    theirs = trained(ours, other, runs)
    real = TokenInfo.from_lengths(lengths).real
    out, expected = mine()[: x.numel()].view_as(x)[info.real], theirs()[: runs.numel()].view_as(runs)[real]
    return timed(f"{kind}, {layout}", mine, f"torch's {kind}", theirs, turns, out, expected, TOLERANCE)
