"""The stack: which mixer a layer has, what a batch shares, and what training alone changes."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import nn

from mmattn import Attention, Backbone, Causal, ConfigError, Convolution, Rotary, TokenInfo, TokenSequence
from mmattn.context import Context
from mmattn.patterns import Full, SlidingWindow

NEAR, FAR = (partial(Attention, heads=2, pattern=pattern) for pattern in (SlidingWindow(1, 1), Full()))
INFO = TokenInfo.from_lengths([4, 2])


def tokens(dim=8):
    return TokenSequence(torch.randn(2, 4, dim, generator=torch.Generator().manual_seed(0)), INFO)


def test_mixers_cycle_through_the_layers():
    model = Backbone(8, 5, {"near": NEAR, "far": FAR}, ["near", "near", "far"])
    windows = [block.mixer.pattern == SlidingWindow(1, 1) for block in model.blocks]
    assert windows == [True, True, False, True, True]
    both = Backbone(8, 3, {"attention": FAR, "convolution": Convolution})
    assert [type(block.mixer) for block in both.blocks] == [Attention, Convolution, Attention]


def test_layers_have_weights_of_their_own():
    first, second = Backbone(8, 2, {"far": FAR}).blocks
    assert not {id(p) for p in first.parameters()} & {id(p) for p in second.parameters()}


@pytest.mark.parametrize(
    ("depth", "mixers", "layers", "message"),
    [
        (
            1,
            {"near": NEAR},
            ["naer"],
            r"layers names 'naer', and backbone.mixers has \['near'\]. Did you mean 'near'\?",
        ),
        (
            2,
            {"near": NEAR},
            ["near"] * 3,
            "names 3 layers, of which depth=2 would leave out near: set backbone.depth=3",
        ),
        (1, {}, None, r"depth=1, layers=\[\]: a backbone needs a mixer"),
        (-1, {"near": NEAR}, None, "depth=-1"),
    ],
)
def test_a_stack_that_cannot_be_is_named(depth, mixers, layers, message):
    with pytest.raises(ConfigError, match=message):
        Backbone(8, depth, mixers, layers)


def test_without_layers_it_is_the_norm():
    out = Backbone(8, 0, {"far": FAR})(tokens()).embeddings
    torch.testing.assert_close(out[0], nn.functional.layer_norm(tokens().embeddings[0], [8]))
    assert (out[1, 2:] == 0).all()


def test_a_block_is_two_residual_branches():
    model = Backbone(8, 1, {"far": FAR}, norm=nn.RMSNorm)
    (block,), x, context = model.blocks, tokens().embeddings, Context(INFO, model.position)
    mixed = x + block.mixer(block.mixer_norm(x), context)
    expected = model.norm(mixed + block.mlp(block.mlp_norm(mixed)))
    torch.testing.assert_close(model(tokens()).embeddings[INFO.real], expected[INFO.real])


def test_branches_begin_smaller_the_deeper_the_stack():
    torch.manual_seed(0)
    for depth in (2, 8):
        for block in Backbone(64, depth, {"far": FAR}).blocks:
            for weight in (block.mixer.out.weight, block.mlp.contract.weight):
                assert weight.std().item() == pytest.approx(0.02 / (2 * depth) ** 0.5, rel=0.1)


def test_dropout_is_for_training():
    model = Backbone(8, 2, {"far": FAR}, dropout=0.5)
    assert not torch.equal(model(tokens()).embeddings, model(tokens()).embeddings)
    model.eval()
    assert torch.equal(model(tokens()).embeddings, model(tokens()).embeddings)


def test_masks_and_rotations_are_made_once_a_batch_for_equal_patterns():
    context = Context(INFO, Rotary())
    assert context.visibility(Causal() & Full()) is context.visibility(Causal() & Full())
    assert context.visibility(SlidingWindow(1)) is not context.visibility(SlidingWindow(2))
    assert context.rotation(4) is context.rotation(4)
    assert context.rotation(8).cosine.shape != context.rotation(4).cosine.shape


def test_other_facts_of_the_tokens_stay_as_they_are():
    ids = torch.tensor([[1, 2, 3, 4], [5, 6, -1, -1]])
    out = Backbone(8, 1, {"far": FAR})(TokenSequence(tokens().embeddings, INFO, ids))
    assert out.info is INFO and out.ids is ids
