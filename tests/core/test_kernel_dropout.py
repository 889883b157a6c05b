"""Dropout of attention weights: seeded, right on average, the same in both directions, and for training alone."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from mmattn import Attention, Position, Visibility
from mmattn.context import Context
from tests.core.asking import HERE, asked, inputs
from tests.core.bias_examples import a_bias
from tests.core.examples import LONG, rich
from tests.core.rules import PATTERNS

pytestmark = pytest.mark.usefixtures("small_blocks")
EVERY = pytest.mark.parametrize("kernel", HERE)
VISIBILITY = Visibility(PATTERNS["sparse"], rich([[0] * 6 + [1] * 5 + [-1]]))


def dropped(kernel, leaves, seed, bias=None, visibility=VISIBILITY, chance=0.3):
    torch.manual_seed(seed)
    return asked(kernel, *leaves, visibility, bias=bias, dropout=chance)


@EVERY
@pytest.mark.parametrize("bias", ["no bias", "buckets"])
def test_a_seed_gives_the_same_weights_and_another_others(kernel, bias):
    leaves, changed = inputs(VISIBILITY, key_heads=2), a_bias(bias, 4)
    one, again, other = (dropped(kernel, leaves, seed, changed) for seed in (0, 0, 1))
    assert torch.equal(one, again) and not torch.equal(one, other)
    whole = asked(kernel, *leaves, VISIBILITY, bias=changed)
    assert (one - whole).abs().max() > 0.1


@EVERY
@pytest.mark.parametrize("name", ["full", "sparse"])
def test_on_average_nothing_changes(kernel, name):
    visibility = Visibility(PATTERNS[name], rich([[0] * 6 + [1] * 5 + [-1]]))
    leaves = [each.detach() for each in inputs(visibility, 2, 1, 4, 4)]
    outs = torch.stack([dropped(kernel, leaves, seed, visibility=visibility) for seed in range(200)])
    exact = asked(kernel, *leaves, visibility)
    assert ((outs.mean(0) - exact).abs() <= 5 * outs.std(0) / 200**0.5 + 1e-12).all()
    assert (outs.std(0)[exact != 0] > 0).all()


@EVERY
@pytest.mark.parametrize("bias", ["no bias", "buckets", "soft cap"])
def test_gradients_are_those_of_the_weights_that_were_kept(kernel, bias):
    changed = a_bias(bias, 2)
    learned = [] if changed is None else list(changed.parameters())

    def of(*inner):
        return dropped(kernel, inner[:3], 0, changed)

    assert torch.autograd.gradcheck(of, (*inputs(VISIBILITY, 2, 1, 2, 2), *learned), fast_mode=True)


@EVERY
def test_a_row_that_sees_nothing_stays_zero(kernel):
    visibility = Visibility(PATTERNS["far and causal"], rich(LONG["left"]))
    out = dropped(kernel, inputs(visibility), 0, visibility=visibility)
    dead = ~visibility.mask.any(-1).expand(out.shape[:-1])
    assert dead.any() and (out[dead] == 0).all()


@pytest.mark.parametrize("kernel", ["auto", "reference", "sdpa", "blockwise"])
def test_a_layer_drops_in_training_alone(kernel):
    torch.manual_seed(0)
    make = partial(Attention, 16, 2, pattern=PATTERNS["window"], kernel=kernel)
    layer, plain = make(weight_dropout=0.5), make()
    plain.load_state_dict(layer.state_dict())
    context = Context(rich(LONG["packed"]), Position())
    x = torch.randn(2, 13, 16)
    assert not torch.equal(layer(x, context), layer(x, context))
    layer.eval()
    assert torch.equal(layer(x, context), plain(x, context))
