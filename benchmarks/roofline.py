"""What this machine can do at most: multiply matrices, and move memory (https://doi.org/10.1145/1498765.1498785)."""

from __future__ import annotations

from typing import NamedTuple

import torch

from mmattn.benchmarks.problem import HEAD_DIM, HEADS
from mmattn.benchmarks.timing import seconds

BACKWARD = 2.5  # five products of matrices, where the forward pass has two


class Roofline(NamedTuple):
    """float32 operations a second of a large square product; bytes a second of b ← a and of c ← a + s · b, counted as
    STREAM does: each array once."""

    matmul_flops: float
    copy_bytes: float
    triad_bytes: float


def measure(size: int = 2048, elements: int = 2**25, turns: int = 10) -> Roofline:
    """The best of so many turns with the threads that torch has now; `elements` of an array, beyond any cache."""
    left, right, product = (torch.rand(size, size) for _ in range(3))
    a, b, c = (torch.rand(elements) for _ in range(3))
    multiplied = min(seconds(lambda: torch.mm(left, right, out=product)) for _ in range(turns))
    copied = min(seconds(lambda: b.copy_(a)) for _ in range(turns))
    added = min(seconds(lambda: torch.add(a, b, alpha=0.5, out=c)) for _ in range(turns))
    size_bytes = elements * a.element_size()
    return Roofline(2 * size**3 / multiplied, 2 * size_bytes / copied, 3 * size_bytes / added)


def attention_flops(pairs: int) -> float:
    """Operations of forward and backward that `pairs` visible pairs of tokens need: 4 · pairs · head_dim a head for QKᵀ
    and for the product with V, and 2.5 times that backward (https://arxiv.org/abs/2307.08691)."""
    return (1 + BACKWARD) * 4 * pairs * HEAD_DIM * HEADS
