"""No later token is seen: not a bit of the outputs up to t changes with the tokens after t, and no gradient returns."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmattn import Causal, Full, GlobalTokens, PrefixLM, Rotary, SlidingWindow, TokenSequence
from tests.core.examples import LAYOUTS, backbone, facts

CAUSAL = [Causal(), SlidingWindow(2), Causal() & ~SlidingWindow(0), Causal() & (SlidingWindow(1) | GlobalTokens())]


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(sorted(LAYOUTS)), st.integers(0, 5))
@pytest.mark.parametrize("pattern", CAUSAL, ids=str)
@pytest.mark.parametrize("key_heads", [4, 2])
def test_no_later_token_is_seen(pattern, key_heads, layout, t):
    info = facts(LAYOUTS[layout])
    later = ((info.order > t) & info.real)[..., None]
    model = backbone(pattern, Rotary(), heads=4, key_heads=key_heads, kernel="sdpa")
    x = torch.randn(2, 6, 16, dtype=torch.float64, requires_grad=True)
    out = model(TokenSequence(x, info)).embeddings
    changed = model(TokenSequence(torch.where(later, torch.randn_like(x), x), info)).embeddings
    assert torch.equal(out.masked_fill(later, 0), changed.masked_fill(later, 0))
    (gradient,) = torch.autograd.grad(out.masked_fill(later, 0).square().sum(), x)
    assert (gradient.masked_fill(~later, 0) == 0).all()


@pytest.mark.parametrize("pattern", [Full(), SlidingWindow(1, 1), PrefixLM()], ids=str)
def test_other_patterns_do_see_later_ones(pattern):
    info, x = facts([[0] * 6]), torch.randn(1, 6, 16, dtype=torch.float64)
    model = backbone(pattern, Rotary())
    changed = x.clone()
    changed[:, 1] = torch.randn(16)  # a neighbour, and in the prefix
    outs = [model(TokenSequence(each, info)).embeddings[0, 0] for each in (x, changed)]
    assert (outs[0] - outs[1]).abs().max() > 1e-3
