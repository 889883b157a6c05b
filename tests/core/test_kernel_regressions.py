"""Requests that kernels once got wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
import torch

from mmattn import ALiBi, Causal, ConfigError, Full, GlobalTokens, Pattern, SlidingWindow, TokenInfo, Visibility, attend
from mmattn.kernels.biased import toeplitz
from mmattn.kernels.plan import plan
from tests.core.asking import HERE


def agree(visibility: Visibility, atol: float = 1e-10, bias=None) -> None:
    """All kernels, outputs and gradients, float64."""
    rows, queries = visibility.queries.order.shape
    generator = torch.Generator().manual_seed(0)
    shapes = [(rows, 2, queries, 16), *[(rows, 2, visibility.keys.order.shape[1], 16)] * 2]
    inputs = [torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_() for shape in shapes]
    results = []
    for kernel in HERE:
        out = attend(*inputs, visibility, kernel=kernel, bias=bias)
        results.append([out, *torch.autograd.grad(out.square().sum(), inputs, materialize_grads=True)])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            torch.testing.assert_close(one, two, atol=atol, rtol=0)


@pytest.mark.parametrize("rows, first", [(1, 3_000_000_000), (4, 800_000_000)])
def test_documents_may_have_large_numbers(rows, first):
    info = TokenInfo.from_lengths([150] * rows)
    agree(Visibility(Causal(), replace(info, document=info.document + first)))


def test_queries_whose_keys_come_in_the_opposite_order():
    documents = torch.arange(8).repeat_interleave(64)[None]
    order = torch.arange(64).repeat(8)[None]
    queries = TokenInfo(order, order[..., None], documents, order * 0, order < 0)
    agree(Visibility(Full(), queries, replace(queries, document=7 - documents)))


@dataclass(frozen=True)
class Mirrored(Pattern):
    """480 ≤ query + key ≤ 543"""

    def allows(self, query, key):
        return (query.order + key.order >= 480) & (query.order + key.order <= 543)


def test_a_pattern_that_goes_backwards():
    agree(Visibility(Mirrored(), TokenInfo.from_lengths([512])))


@dataclass(frozen=True)
class Near(Pattern):
    """|Δx| ≤ 3 of a further fact"""

    def allows(self, query, key):
        distance = query.extra["x"] - key.extra["x"]
        return (distance <= 3) & (distance >= -3)


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int16])
def test_facts_of_few_bits_do_not_wrap_around(dtype):
    low, high = torch.iinfo(dtype).min, min(torch.iinfo(dtype).max, 126)
    x = torch.linspace(max(low, -126), high, 512).round().to(dtype)[None]
    info = replace(TokenInfo.from_lengths([512]), extra={"x": x})
    visibility = Visibility(Near(), info)
    wide = x[0].long()
    assert torch.equal(visibility.mask[0, 0], (wide[:, None] - wide).abs() <= 3)
    agree(visibility)


@pytest.mark.parametrize("lengths", [[300, 5], [300, 0], [300, 300]])
def test_padded_rows_under_full_attention(lengths):
    agree(Visibility(Full(), TokenInfo.from_lengths(lengths)))


@pytest.mark.parametrize("kernel", ["auto", *HERE])
def test_no_tokens_with_a_bias_by_distance(kernel):
    query = torch.zeros(1, 2, 0, 16)
    assert (
        attend(query, query, query, Visibility(Full(), TokenInfo.from_lengths([0])), kernel=kernel, bias=ALiBi(2)).shape
        == query.shape
    )


def test_gradients_of_a_key_that_many_see_are_summed_exactly():
    tokens = 8192
    info = TokenInfo.from_lengths([tokens])
    info = replace(info, is_global=info.order < 16)
    visibility = Visibility(SlidingWindow(32, 32) | GlobalTokens(), info)
    query = torch.zeros(1, 1, tokens, 16, dtype=torch.bfloat16)
    value = torch.ones_like(query).requires_grad_()
    attend(query, query, value, visibility, kernel="blockwise").sum().backward()
    share = 1 / (65 + 16)  # of each query that sees both sides of its window; those near the ends see fewer
    assert value.grad is not None and abs(float(value.grad[0, 0, 0, 0]) / (tokens * share) - 1) < 0.01


def test_a_bias_by_distance_is_a_view_in_half_precision_too():
    view = toeplitz(ALiBi(4), 4, TokenInfo.from_lengths([256]), True, torch.bfloat16)
    assert view.dtype == torch.bfloat16 and view.untyped_storage().nbytes() < 4 * 600 * 2


def test_inputs_of_unlike_kinds_and_of_no_width_are_refused():
    query, info = torch.randn(1, 2, 4, 16), TokenInfo.from_lengths([4])
    with pytest.raises(ConfigError, match="inputs of torch.bfloat16 on cpu and torch.float32 on cpu: convert them"):
        attend(query, query.bfloat16(), query, Visibility(Full(), info))
    with pytest.raises(ConfigError, match="a width of 1"):
        attend(query[..., :0], query[..., :0], query, Visibility(Full(), info))
    with pytest.raises(ConfigError, match="takes at least one head"):
        attend(query, query[:, :0], query[:, :0], Visibility(Full(), info))


@pytest.mark.parametrize("kernel", ["sdpa", "blockwise"])
def test_autocast_takes_inputs_of_unlike_precision(kernel):
    query, info = torch.randn(1, 2, 300, 16), TokenInfo.from_lengths([300])
    seen = Visibility(SlidingWindow(20), info)
    with torch.autocast("cpu", torch.bfloat16):
        out = attend(query, query, query.bfloat16(), seen, kernel=kernel)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), attend(query, query, query, seen, kernel="reference"), atol=0.05, rtol=0)


def test_no_plan_reads_backwards():
    planned = plan(Visibility(Mirrored(), TokenInfo.from_lengths([512])))
    evens = [call.even for part in planned.parts for call in part.calls if call.even]
    assert all(min(even) >= 0 for even in evens)
