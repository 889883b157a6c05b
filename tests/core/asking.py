"""Asking kernels for attention in tests, so that one that may refuse is let go and one that may not is held to it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mmattn import ConfigError, Visibility, attend
from mmattn.biases import Added, Bias
from mmattn.kernels import KERNELS, Request

ELSEWHERE = {"flex": "test_flex.py", "varlen": "test_varlen.py"}
"""Kernels that have tests of their own, as they need a compiler or CUDA, and where these are."""

HERE = [name for name in KERNELS if name not in ELSEWHERE]
"""Kernels that every test of kernels tries."""


def asked(
    kernel: str,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    visibility: Visibility,
    scale: float = 0.3,
    bias: Bias | None = None,
    dropout: float = 0.0,
) -> Tensor:
    """What the kernel computes. Skips the test where it refuses, which these may not: `reference` and `blockwise` ever,
    `sdpa` but for a bias that does not merely add."""
    request = Request(query, key, value, visibility, scale, bias, dropout)
    refusal = None if kernel == "auto" else KERNELS[kernel].refusal(request)
    if refusal:
        assert kernel not in ("reference", "blockwise"), refusal
        assert kernel != "sdpa" or not isinstance(bias, Added | None), refusal
        with pytest.raises(ConfigError, match=f"^kernel={kernel}: "):
            attend(query, key, value, visibility, scale, kernel, bias=bias, dropout=dropout)
        pytest.skip(refusal)
    return attend(query, key, value, visibility, scale, kernel, bias=bias, dropout=dropout)


def inputs(
    visibility: Visibility,
    heads: int = 4,
    key_heads: int = 4,
    width: int = 8,
    value_width: int = 8,
    dtype: torch.dtype = torch.float64,
) -> list[Tensor]:
    """Query, key and value of a size that fits, random and asking for gradients."""
    generator = torch.Generator().manual_seed(0)
    batch, queries = visibility.queries.order.shape
    keys = visibility.keys.order.shape[1]
    shapes = [(batch, heads, queries, width), (batch, key_heads, keys, width), (batch, key_heads, keys, value_width)]
    return [torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype).requires_grad_() for shape in shapes]


def outcome(out: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    """The output and the gradients that a random probe of it gives the leaves."""
    probe = torch.randn(out.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(out.dtype)
    return [out.detach(), *torch.autograd.grad(out, leaves, probe, materialize_grads=True)]
