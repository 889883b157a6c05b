"""How far off a fast kernel may be, in its output and in its gradients.

Its error against a float64 oracle is at most 2 × that of the plain math in the same dtype + 4 units in the last place
of the largest magnitude. That magnitude is taken over the output and all gradients: where a query sees a single key the
plain softmax has a gradient of exactly 0, while fused kernels subtract two equal numbers of the size of the others.
"""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch

from mmattn import TokenInfo, Visibility, attend
from mmattn.kernels import KERNELS
from tests.core.examples import facts
from tests.core.rules import PATTERNS

FAST = sorted(set(KERNELS) - {"reference"})
HEADS, LENGTH, WIDTH = 4, 48, 16
QUERIES = {
    "plain": facts([[0] * LENGTH, [1] * LENGTH]),
    "padded": facts([[0] * 20 + [-1] * (LENGTH - 20), [1] * LENGTH]),
    "packed": facts([[0] * 17 + [1] * (LENGTH - 17), [2] * 30 + [3] * 10 + [-1] * (LENGTH - 40)]),
}
KEYS = {
    "plain": facts([[0] * 70, [1] * 70]),
    "padded": facts([[0] * 70, [1] * 33 + [-1] * 37]),
    "packed": facts([[0] * 40 + [1] * 30, [2] * 5 + [3] * 65]),
}


def results(kernel: str, visibility: Visibility, inputs: list[torch.Tensor], probe: torch.Tensor):
    """Output and the gradients of query, key and value."""
    leaves = [each.detach().requires_grad_() for each in inputs]
    out = attend(*leaves, visibility, kernel=kernel)
    return [out.detach(), *torch.autograd.grad(out, leaves, probe.to(out.dtype))]


def error(one: torch.Tensor, exact: torch.Tensor) -> float:
    return float((one.double() - exact).abs().max())


@cache
def visibility(name: str, layout: str, cross: bool) -> Visibility:
    keys: TokenInfo | None = KEYS[layout] if cross else None
    return Visibility(PATTERNS[name], QUERIES[layout], keys)


@pytest.mark.parametrize("cross", [False, True], ids=["self", "cross"])
@pytest.mark.parametrize("key_heads", [4, 2], ids=["plain heads", "grouped"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("layout", QUERIES)
@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("kernel", FAST)
def test_error_is_of_the_size_of_the_plain_maths(kernel, name, layout, dtype, key_heads, cross):
    generator = torch.Generator().manual_seed(0)
    keys = len((KEYS if cross else QUERIES)[layout].order[0])
    shapes = [(2, HEADS, LENGTH, WIDTH), (2, key_heads, keys, WIDTH), (2, key_heads, keys, WIDTH)]
    inputs = [torch.randn(shape, generator=generator).to(dtype) for shape in shapes]
    probe = torch.randn(shapes[0], generator=generator).to(dtype)
    seen = visibility(name, layout, cross)
    exact = results("reference", seen, [each.double() for each in inputs], probe)
    plain, fast = (results(each, seen, inputs, probe) for each in ("reference", kernel))
    largest = max(float(each.abs().max()) for each in exact)
    unit = torch.finfo(dtype).eps * 2 ** math.floor(math.log2(largest))
    for what, one, other, truth in zip(("output", "query", "key", "value"), fast, plain, exact, strict=True):
        assert error(one, truth) <= 2 * error(other, truth) + 4 * unit, what
