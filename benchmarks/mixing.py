"""Mixers forward and backward: what each side of `mmattn bench mixers` is made of."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from mmattn.benchmarks.apart import Alone, elsewhere, fresh_peak, peak_bytes
from mmattn.benchmarks.scale import Point
from mmattn.benchmarks.timing import no_garbage_collection, pinned, quartiles, seconds
from mmattn.context import Context
from mmattn.mixers import (
    Attention,
    DeltaRule,
    GatedLinearAttention,
    LinearAttention,
    Mamba2,
    Mixer,
    Recurrent,
    Retention,
)
from mmattn.patterns import Causal, Full, GlobalTokens, SlidingWindow, Strided
from mmattn.positions import Position
from mmattn.sequence import TokenInfo

DIM, HEADS = 256, 4
MIXERS: dict[str, Callable[[], Mixer]] = {
    "attention": partial(Attention, DIM, HEADS, pattern=Full()),
    "attention_causal": partial(Attention, DIM, HEADS, pattern=Causal()),
    "attention_reference": partial(Attention, DIM, HEADS, pattern=Full(), kernel="reference"),
    "window_256": partial(Attention, DIM, HEADS, pattern=SlidingWindow(256)),
    "window_256_global": partial(Attention, DIM, HEADS, pattern=SlidingWindow(128, 128) | GlobalTokens()),
    "strided_64": partial(Attention, DIM, HEADS, pattern=Causal() & (SlidingWindow(64) | Strided(64))),
    "linear_attention": partial(LinearAttention, DIM, HEADS),
    "retention": partial(Retention, DIM, HEADS),
    "gated_linear_attention": partial(GatedLinearAttention, DIM, HEADS),
    "delta_rule": partial(DeltaRule, DIM, HEADS),
    "mamba2": partial(Mamba2, DIM, head_dim=64),
    "lstm": partial(Recurrent, DIM, "lstm"),
    "gru": partial(Recurrent, DIM, "gru"),
    "rnn": partial(Recurrent, DIM, "rnn"),
}
"""By name, of width 256, with 4 heads where they choose."""
BOTH_WAYS = ("attention", "attention_reference", "window_256_global")
"""Those that read later tokens, too: others see half of the pairs, and are measured against attention that does."""
GLOBAL = 16  # tokens at the beginning that all read, where the pattern has any
CHUNKED = ("linear_attention", "retention", "gated_linear_attention", "delta_rule", "mamba2")

Call = Callable[[], Tensor]


def rival(name: str) -> str:
    """The fused attention to all tokens that a mixer is measured against: both see the same tokens."""
    return "attention" if name in BOTH_WAYS else "attention_causal"


def made(name: str) -> Mixer:
    """The same weights each time."""
    torch.manual_seed(0)
    return MIXERS[name]()


def tokens(length: int, rows: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(rows, length, DIM, generator=generator).requires_grad_()


def mixing(mixer: Mixer, x: Tensor, info: TokenInfo) -> Tensor:
    """Facts of the batch are looked through anew, as once a batch in training."""
    return mixer(x, Context(info, Position()))


def trained(module: nn.Module, forward: Call, x: Tensor) -> Call:
    """One forward and backward pass; gives the outputs, then the input's gradients, to be compared."""

    def run() -> Tensor:
        module.zero_grad()
        x.grad = None
        out = forward()
        out.backward(torch.ones_like(out))
        assert x.grad is not None
        return torch.cat([out.detach().flatten(), x.grad.flatten()])

    return run


def training(name: str, length: int, rows: int = 1) -> Call:
    """Forward and backward of a mixer over a document a row."""
    mixer, x, info = made(name), tokens(length, rows), TokenInfo.from_lengths([length] * rows)
    info = replace(info, is_global=info.order < GLOBAL) if name.endswith("global") else info
    return trained(mixer, partial(mixing, mixer, x, info), x)


def grown(name: str, length: int, turns: int, threads: int, rows: int = 1) -> Point:
    """A mixer at a length, in a process of its own. Raises MmattnError with its last words where it fails."""
    words = [name, str(length), str(turns), str(threads), str(rows)]
    found = elsewhere("mmattn.benchmarks.mixing", words, threads, f"{name} at {length:,} tokens")
    return Point(name, length, quartiles(found.seconds)[1], found.peak_bytes)


def alone(name: str, length: int, turns: int, rows: int) -> Alone:
    """Measure in this process, in which nothing large was done before."""
    training(name, 128)()  # libraries load much of themselves when they are used
    run = training(name, length, rows)
    before = fresh_peak()
    run()
    peak = peak_bytes() - before
    with no_garbage_collection():
        return Alone(peak, [seconds(run) for _ in range(turns)])


if __name__ == "__main__":
    name, length, turns, threads, rows = sys.argv[1:]
    with pinned(int(threads)):
        print(json.dumps(alone(name, int(length), int(turns), int(rows))._asdict()))
