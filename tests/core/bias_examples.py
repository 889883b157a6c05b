"""Biases that are felt on short sequences."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from mmattn.biases import ALiBi, Bias, Chain, DistanceBuckets, GridOffsets, SoftCap

Make = Callable[[int], Bias]
BIASES: dict[str, Make | None] = {
    "no bias": None,
    "alibi": ALiBi,
    "buckets": partial(DistanceBuckets, buckets=8, furthest=9),
    "causal buckets": partial(DistanceBuckets, buckets=6, furthest=9, causal=True),
    "grid": partial(GridOffsets, rows=2, columns=1),
    "soft cap": partial(SoftCap, cap=1.5),
    "chain": partial(Chain, biases=[partial(GridOffsets, rows=1, columns=1), partial(SoftCap, cap=1.5), ALiBi]),
}


def a_bias(name: str, heads: int, dtype: torch.dtype = torch.float64) -> Bias | None:
    """The bias of that name with random weights of the size of scores."""
    make = BIASES[name]
    if make is None:
        return None
    bias = make(heads).to(dtype)
    for number, weight in enumerate(bias.parameters()):
        nn.init.normal_(weight, generator=torch.Generator().manual_seed(number))
    return bias
