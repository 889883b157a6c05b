"""Shapes, strides and widths at the edges, padding, and second calls."""

from __future__ import annotations

import pytest
import torch

from mmattn import Causal, Full, GlobalTokens, SlidingWindow, TokenInfo, Visibility
from mmattn.biases import ALiBi
from mmattn.patterns import Strided
from tests.core.asking import HERE, asked, inputs, outcome
from tests.core.bias_examples import BIASES, a_bias
from tests.core.examples import LONG, rich
from tests.core.rules import PATTERNS

pytestmark = pytest.mark.usefixtures("small_blocks")
EVERY = pytest.mark.parametrize("kernel", HERE)
SPARSE = Causal() & (SlidingWindow(3) | Strided(3)) | GlobalTokens()


def same(kernel, leaves, visibility, bias=None, atol=1e-10):
    results = [outcome(asked(each, *leaves, visibility, bias=bias), leaves) for each in (kernel, "reference")]
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, atol=atol, rtol=0)


@EVERY
@pytest.mark.parametrize("bias", ["no bias", "buckets"])
def test_a_second_call_with_the_same_visibility_gives_the_same_bits(kernel, bias):
    visibility, changed = Visibility(SPARSE, rich(LONG["packed"])), a_bias(bias, 4)
    leaves = inputs(visibility)
    first, second = (outcome(asked(kernel, *leaves, visibility, bias=changed), leaves) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


@EVERY
@pytest.mark.parametrize("bias", ["no bias", "chain"])
@pytest.mark.parametrize("pattern", [Full(), SPARSE], ids=str)
def test_tensors_may_lie_in_memory_in_any_way(kernel, pattern, bias):
    visibility, changed = Visibility(pattern, rich(LONG["left"])), a_bias(bias, 4)
    plain = [each.detach() for each in inputs(visibility)]
    query = plain[0].transpose(1, 2).contiguous().transpose(1, 2)
    key = torch.stack([plain[1], plain[1] + 1], -1).flatten(-2)[..., ::2]
    value = plain[2][:, :1, :, :1].expand_as(plain[2])
    leaves = [each.requires_grad_() for each in (query, key, value)]
    assert not any(each.is_contiguous() for each in leaves)
    out = asked(kernel, *leaves, visibility, bias=changed)
    expected = asked("reference", *(each.contiguous() for each in leaves), visibility, bias=changed)
    torch.testing.assert_close(out, expected, atol=1e-10, rtol=0)
    # The gradient of the output may lie in any way, too: a sum's is expanded.
    for found, wanted in zip(*(torch.autograd.grad(each.sum(), leaves) for each in (out, expected)), strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-10, rtol=0)


LENGTHS = [(1, 1), (1, 7), (7, 1), (3, 5), (9, 17), (16, 16)]


@EVERY
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("pattern", [Full(), Causal(), SPARSE], ids=str)
def test_lengths_need_not_be_multiples_of_anything(kernel, pattern, lengths):
    queries, keys = (TokenInfo.from_lengths([length, max(1, length - 2)]) for length in lengths)
    visibility = Visibility(pattern, queries, queries if lengths[0] == lengths[1] else keys)
    same(kernel, inputs(visibility), visibility)


@EVERY
@pytest.mark.parametrize("bias", ["no bias", "buckets"])
@pytest.mark.parametrize("shape", [(0, 3, 3), (2, 0, 3), (2, 3, 0), (2, 0, 0), (0, 0, 0)], ids=str)
def test_nothing_in_gives_nothing_out(kernel, shape, bias):
    batch, *lengths = shape
    queries, keys = (TokenInfo.from_lengths([length] * batch, length=length) for length in lengths)
    visibility = Visibility(SPARSE, queries, keys)
    leaves, changed = inputs(visibility, key_heads=2), a_bias(bias, 4)
    found = outcome(asked(kernel, *leaves, visibility, bias=changed), leaves)
    assert [each.shape for each in found] == [leaves[0].shape, *(each.shape for each in leaves)]
    assert all((each == 0).all() for each in found)  # without keys, queries see nothing


@EVERY
@pytest.mark.parametrize("width", [1, 16, 24, 64, 80, 128, 256])
def test_heads_may_be_of_any_width(kernel, width):
    visibility = Visibility(SPARSE, rich(LONG["packed"]))
    same(kernel, inputs(visibility, 2, 1, width, width), visibility, atol=1e-9)


@EVERY
@pytest.mark.parametrize("value_width", [1, 4, 24])
@pytest.mark.parametrize("bias", BIASES)
def test_values_may_be_of_another_width_than_keys(kernel, bias, value_width):
    visibility = Visibility(SPARSE, rich(LONG["right"]))
    same(kernel, inputs(visibility, 4, 2, 8, value_width), visibility, a_bias(bias, 4))


@EVERY
@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("name", ["causal", "sparse", "window or global"])
def test_gradients_are_those_of_finite_differences(kernel, name, bias):
    visibility, changed = Visibility(PATTERNS[name], rich([[0, 0, 0, 1, 1, 1, -1]])), a_bias(bias, 2)
    leaves = inputs(visibility, 2, 1, 2, 2)
    learned = [] if changed is None else list(changed.parameters())

    def of(*inner):
        return asked(kernel, *inner[:3], visibility, bias=changed)

    assert torch.autograd.gradcheck(of, (*leaves, *learned), fast_mode=True)


@EVERY
@pytest.mark.parametrize("filling", [0.0, -1e4, 1e15])  # whose products are finite
@pytest.mark.parametrize("layout", ["left", "right", "packed"])
@pytest.mark.parametrize("pattern", [Full(), SPARSE], ids=str)
@pytest.mark.parametrize("bias", [None, ALiBi], ids=["no bias", "alibi"])
def test_what_stands_at_padding_changes_not_a_bit(kernel, pattern, layout, filling, bias):
    visibility = Visibility(pattern, rich(LONG[layout]))
    changed = None if bias is None else bias(4)
    real = visibility.queries.real[:, None, :, None]
    leaves = inputs(visibility, dtype=torch.float32)
    filled = [each.detach().where(real, filling).requires_grad_() for each in leaves]
    out, other = (asked(kernel, *each, visibility, bias=changed) for each in (leaves, filled))
    assert torch.equal(out, other)
    gradients = (torch.autograd.grad(each.square().sum(), own) for each, own in ((out, leaves), (other, filled)))
    assert all(torch.equal(*pair) for pair in zip(*gradients, strict=True))
