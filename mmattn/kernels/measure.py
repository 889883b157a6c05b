"""Measures, on this machine, from what share of pairs on skipping blocks is faster than a dense mask."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator

import torch

from mmattn.kernels import blockwise, sdpa
from mmattn.kernels.crossover import Crossover
from mmattn.kernels.plan import draft
from mmattn.kernels.request import Request
from mmattn.patterns import SlidingWindow, Visibility
from mmattn.sequence import TokenInfo

LENGTHS = (256, 512, 1024, 2048, 4096)
WIDTHS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6)  # two-sided windows, each side this share of the length
HEADS, HEAD_DIM = 4, 64
TURNS = 5


def measured_crossover(say: Callable[[str], object] = print) -> Crossover:
    """Time `blockwise` against `sdpa` with a dense mask, forward and backward, over windows of growing width."""
    shares = {}
    for length in LENGTHS:
        best = 0.0
        for share, ratio in _ratios(length):
            say(f"{length} tokens, {share:.0%} of the pairs: {ratio:.2f} of the time with a dense mask")
            if ratio >= 1:
                break
            best = share
        shares[length] = round(best, 3)
    about = f"measured on {platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    return Crossover(shares, f"{about}, {time.strftime('%Y-%m-%d')}")


def _ratios(length: int) -> Iterator[tuple[float, float]]:
    """(share of pairs that blockwise computes, its time ÷ that with a dense mask), from narrow windows to wide ones."""
    info = TokenInfo.from_lengths([length])
    inputs = [torch.randn(1, HEADS, length, HEAD_DIM, requires_grad=True) for _ in range(3)]
    query, key, value = inputs
    for width in WIDTHS:
        visibility = Visibility(SlidingWindow(int(width * length), int(width * length)), info)
        request = Request(query, key, value, visibility, HEAD_DIM**-0.5)
        turns = [(seconds(blockwise.blockwise, request), seconds(sdpa.sdpa, request)) for _ in range(TURNS + 1)]
        ours, dense = (
            min(side) for side in zip(*turns[1:], strict=True)
        )  # the first builds masks; others may be disturbed
        yield draft(visibility).computed() / length**2, ours / dense


def seconds(compute: Callable, request: Request) -> float:
    """Of one forward and backward pass."""
    began = time.perf_counter()
    torch.autograd.grad(compute(request).sum(), request[:3])
    return time.perf_counter() - began
