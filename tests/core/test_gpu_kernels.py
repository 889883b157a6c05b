"""Every kernel on CUDA against the formula: outputs and gradients.

The bound is that of test_kernel_accuracy.py: twice the error of the plain math in the same dtype, both against float64,
and four units in the last place of the largest magnitude; eight in float32, of which torch's own backward pass took
seven on an H200. `make test-gpu` runs this file.
"""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch

from mmattn import Causal, ConfigError, Full, SlidingWindow, TokenInfo, Visibility, attend
from mmattn.biases import ALiBi, Bias, Chain, DistanceBuckets, SoftCap
from mmattn.kernels import KERNELS, Request, chosen
from mmattn.patterns import Strided
from tests.core.examples import facts
from tests.core.rules import ON_A_LINE

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")]
HEADS, LENGTH = 4, 300
FAST = sorted(set(KERNELS) - {"reference"})
QUERIES = {
    "plain": [[0] * LENGTH, [1] * LENGTH],
    "right": [[0] * 170 + [-1] * (LENGTH - 170), [1] * LENGTH],
    "left": [[-1] * (LENGTH - 90) + [0] * 90, [1] * LENGTH],
    "packed": [[0] * 40 + [1] * (LENGTH - 40), [2] * 200 + [3] * 61 + [-1] * (LENGTH - 261)],
}
KEYS = [[0] * 70 + [1] * 80 + [5] * 60, [1] * 30 + [2] * 100 + [3] * 80]
LEARNED = {
    "buckets": lambda: DistanceBuckets(HEADS),
    "chain": lambda: Chain(HEADS, [ALiBi, DistanceBuckets, lambda heads: SoftCap(heads, cap=3.0)]),
}


@cache
def visibility(name: str, layout: str, cross: bool = False) -> Visibility:
    pattern = {**ON_A_LINE, "strided": Causal() & Strided(50), "two-sided": SlidingWindow(40, 3)}[name]
    return Visibility(pattern, facts(QUERIES[layout]).to("cuda"), facts(KEYS).to("cuda") if cross else None)


def made(seen: Visibility, dtype: torch.dtype, key_heads: int = HEADS, width: int = 64) -> list[torch.Tensor]:
    """Query, key, value and what their output is multiplied with."""
    generator = torch.Generator().manual_seed(0)
    keys = seen.keys.order.shape[1]
    shapes = [(2, LENGTH, HEADS, width), (2, keys, key_heads, width), (2, keys, key_heads, width)]
    return [torch.randn(each, generator=generator).to("cuda", dtype).transpose(1, 2) for each in [*shapes, shapes[0]]]


def results(kernel: str, seen: Visibility, given: list[torch.Tensor], bias: Bias | None = None) -> list[torch.Tensor]:
    """Output and the gradients of query, key, value and the bias."""
    leaves = [each.detach().requires_grad_() for each in given[:3]]
    out = attend(*leaves, seen, kernel=kernel, bias=bias)
    learned = [] if bias is None else list(bias.parameters())
    return [out.detach(), *torch.autograd.grad(out, [*leaves, *learned], given[3].to(out.dtype))]


def compare(kernel: str, seen: Visibility, given: list[torch.Tensor], bias: Bias | None = None) -> None:
    """Skips what the kernel refuses."""
    refusal = KERNELS[kernel].refusal(Request(*given[:3], seen, 1.0, bias))
    if refusal:
        pytest.skip(refusal)
    with torch.autocast("cuda", enabled=False):
        exact = results("reference", seen, [each.double() for each in given], bias)
    plain, fast = (results(each, seen, given, bias) for each in ("reference", kernel))
    largest = max(float(each.abs().max()) for each in exact)
    units = 8 if fast[0].dtype == torch.float32 else 4
    unit = torch.finfo(fast[0].dtype).eps * 2 ** math.floor(math.log2(largest))
    for one, other, truth in zip(fast[:4], plain, exact, strict=False):
        assert error(one, truth) <= 2 * error(other, truth) + units * unit
    for one, truth in zip(fast[4:], exact[4:], strict=True):  # sums over all pairs, in an order of the kernel's own
        assert error(one, truth) <= 1e-4 * float(truth.abs().max())
    dead = ~seen.mask.any(-1).expand(fast[0].shape[:3])
    assert (fast[0][dead] == 0).all() and (fast[1][dead] == 0).all()


def error(one: torch.Tensor, exact: torch.Tensor) -> float:
    return float((one.double() - exact).abs().max())


@pytest.fixture(autouse=True)
def exact_products():
    """float32 products are float32 products, whatever the machine's default."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    yield
    torch.backends.cuda.matmul.allow_tf32 = before


@pytest.mark.parametrize("layout", QUERIES)
@pytest.mark.parametrize("name", [*ON_A_LINE, "strided", "two-sided"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("kernel", FAST)
def test_patterns_layouts_and_dtypes(kernel, dtype, name, layout):
    seen = visibility(name, layout)
    compare(kernel, seen, made(seen, dtype))


@pytest.mark.parametrize("width", [64, 128])
@pytest.mark.parametrize("cross", [False, True], ids=["self", "cross"])
@pytest.mark.parametrize("name", ["full", "causal", "window"])
@pytest.mark.parametrize("kernel", FAST)
def test_grouped_queries_widths_and_other_keys(kernel, name, cross, width):
    seen = visibility(name, "packed", cross)
    compare(kernel, seen, made(seen, torch.bfloat16, key_heads=2, width=width))


@pytest.mark.parametrize("name", ["full", "window or global"])
@pytest.mark.parametrize("layout", ["right", "packed"])
@pytest.mark.parametrize("bias", LEARNED)
@pytest.mark.parametrize("kernel", FAST)
def test_biases_learn(kernel, bias, layout, name):
    seen = visibility(name, layout)
    compare(kernel, seen, made(seen, torch.float32), LEARNED[bias]().to("cuda"))


@pytest.mark.parametrize("name", ["full", "causal", "window or global"])
@pytest.mark.parametrize("kernel", FAST)
def test_under_autocast(kernel, name):
    seen = visibility(name, "packed")
    with torch.autocast("cuda", torch.bfloat16):
        compare(kernel, seen, made(seen, torch.float32))


def test_varlen_takes_what_it_is_for():
    for name in ("full", "causal", "window", "two-sided"):
        for layout in QUERIES:
            seen = visibility(name, layout)
            assert KERNELS["varlen"].refusal(Request(*made(seen, torch.bfloat16)[:3], seen, 1.0)) is None
    seen = visibility("full", "packed", cross=True)
    assert KERNELS["varlen"].refusal(Request(*made(seen, torch.bfloat16)[:3], seen, 1.0)) is None


def test_without_a_token_varlen_gives_zeros_with_zero_gradients():
    seen = Visibility(Full(), TokenInfo.from_lengths([0, 0], length=LENGTH, device="cuda"))
    out, *gradients = results("varlen", seen, made(seen, torch.bfloat16))
    assert all((each == 0).all() for each in (out, *gradients))


def test_flex_refuses_narrow_heads():
    seen = visibility("full", "plain")
    with pytest.raises(ConfigError, match="at least 16 wide on CUDA, and got 8"):
        attend(*made(seen, torch.float32, width=8)[:3], seen, kernel="flex")


@pytest.mark.parametrize(
    "name, layout, dtype, kernel",
    [
        ("full", "plain", torch.bfloat16, "sdpa"),
        ("causal", "packed", torch.bfloat16, "varlen"),
        ("full", "right", torch.bfloat16, "varlen"),
        ("window", "plain", torch.bfloat16, "varlen"),
        ("full", "packed", torch.float32, "sdpa"),
    ],
)
def test_auto_takes(name, layout, dtype, kernel):
    seen = visibility(name, layout)
    assert chosen(Request(*made(seen, dtype)[:3], seen, 1.0)).kernel.name == kernel


def test_auto_takes_flex_where_few_blocks_are_live_or_scores_are_capped():
    info = TokenInfo.from_lengths([2048], device="cuda")
    query = torch.randn(1, 2, 2048, 64, device="cuda")
    few = Request(query, query, query, Visibility(SlidingWindow(64), info), 0.1)
    assert chosen(few).kernel.name == "flex"
    capped = Request(query, query, query, Visibility(Causal(), info), 0.1, SoftCap())
    assert chosen(capped).kernel.name == "flex"
