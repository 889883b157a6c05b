"""A backbone that sees ahead is found by trying it, whatever it is made of; one that does not is left alone."""

from __future__ import annotations

import re
from functools import partial

import pytest
import torch
from torch import nn

from mmattn import Attention, Backbone, Causal, Full, Learned, Position, Rotary, Sinusoidal, SlidingWindow, TokenInfo
from mmattn.build import build
from mmattn.composition.compose import composed
from mmattn.errors import ConfigError
from mmattn.mixers import Convolution, Mixer, Recurrent
from mmattn.tasks.causality import LENGTH, ROWS, looks_ahead

CAUSAL = {"near": partial(Attention, heads=2, pattern=Causal())}


class Reversed(Mixer):
    """The sum of all later tokens, which begins as zeros, and has no pattern to tell."""

    def __init__(self, dim):
        super().__init__()
        self.gate = nn.Parameter(torch.zeros(dim))

    def forward(self, x, context):
        return x.flip(1).cumsum(1).flip(1) * self.gate

    def step(self, x, context, state):
        raise NotImplementedError


class Neighbour(Position):
    """A position part that also adds the next token."""

    def embed(self, embeddings, info):
        return embeddings + embeddings.roll(-1, 1)


class OverTime(nn.Module):
    """A norm whose scale is taken over all tokens."""

    def __init__(self, dim):
        super().__init__()

    def forward(self, x):
        return x / x.std(1, keepdim=True)


def shown(mixers, among=None, **parts):
    info = TokenInfo.from_lengths([LENGTH] * ROWS)
    among = torch.ones_like(info.real) if among is None else among(info)
    return looks_ahead(Backbone(16, max(2, len(mixers)), mixers, **parts), info, among)


@pytest.mark.parametrize(
    "mixer, said",
    [
        (partial(Attention, heads=2, pattern=Full()), r"blocks.1, whose mixer is Attention with Full\(\),"),
        (
            partial(Attention, heads=2, pattern=SlidingWindow(9, 1)),
            r"blocks.1, whose mixer is Attention with SlidingWindow",
        ),
        (partial(Convolution, windows=[(2, 0), (0, 1)]), r"blocks.1, whose mixer is Convolution with SlidingWindow"),
        (partial(Recurrent, both_ways=True), r"blocks.1, whose mixer is Recurrent,"),
        (Reversed, r"blocks.1, whose mixer is Reversed,"),
    ],
)
def test_a_mixer_that_sees_ahead_is_named(mixer, said):
    found = shown({**CAUSAL, "far": mixer}, layers=["near", "far"])
    assert found is not None and re.search(said, found)


def test_a_position_or_norm_that_sees_ahead_is_named():
    assert shown(CAUSAL, position=Neighbour()).startswith("backbone.position, Neighbour,")
    assert "blocks.0" in shown(CAUSAL, norm=OverTime)


@pytest.mark.parametrize("position", [Rotary(), Sinusoidal(), Learned(16, [4]), None], ids=repr)
def test_a_causal_backbone_is_taken(position):
    mixers = {**CAUSAL, "far": partial(Convolution, windows=[(3, 0), (1, 0)]), "state": Recurrent}
    assert shown(mixers, layers=["near", "far", "state"], position=position) is None


def test_tokens_that_may_be_seen_are_not_counted():
    first = {"far": partial(Attention, heads=2, pattern=SlidingWindow(0, 2))}
    assert shown(first, among=lambda info: info.order < 2) is None
    assert shown(first, among=lambda info: info.order >= 100) is not None


def test_a_trial_leaves_weights_mode_and_random_state():
    model = Backbone(16, 1, CAUSAL).train()
    before, state = [each.clone() for each in model.parameters()], torch.get_rng_state()
    info = TokenInfo.from_lengths([LENGTH] * ROWS)
    assert looks_ahead(model, info, info.real) is None
    assert torch.equal(torch.get_rng_state(), state) and model.training
    assert all(torch.equal(one, other) for one, other in zip(before, model.parameters(), strict=True))


def test_language_modelling_refuses_a_convolution_over_later_tokens():
    words = ["experiment=text", "mixer=convolution", "backbone.dim=16", "backbone.depth=1"]
    with pytest.raises(ConfigError, match=r"mixer is Convolution .* shows tokens before .* windows whose `after` is 0"):
        build(composed(words)).task.setup("fit")
    build(composed([*words, "mixer.windows=[[2,0]]"])).task.setup("fit")


@pytest.mark.parametrize("words", [["experiment=text"], ["experiment=image_to_text", "data.train=8"]], ids=str)
def test_the_trial_runs_where_the_weights_are(words):
    task = build(composed([*words, "backbone.dim=16", "backbone.depth=3"])).task
    task._device = torch.device("meta")  # Lightning's word for where the weights will be
    task.setup("fit")
