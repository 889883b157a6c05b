"""Decoding with a cache equals the full pass."""

from __future__ import annotations

import copy
from functools import partial
from itertools import product

import pytest
import torch

from mmattn import (
    Attention,
    Causal,
    GlobalTokens,
    Learned,
    Position,
    Rotary,
    Sinusoidal,
    SlidingWindow,
    TokenInfo,
    TokenSequence,
)
from mmattn.context import Context
from mmattn.patterns import ChunkedCausal
from tests.core.bias_examples import BIASES, a_bias
from tests.core.examples import backbone, rich

POSITIONS = {"none": Position(), "rotary": Rotary(), "sinusoidal": Sinusoidal(), "learned": Learned(16, [8]).double()}


MODES = {"with gradients": torch.enable_grad, "without": torch.no_grad, "inference": torch.inference_mode}


def piece(x, info, start, stop):
    places = torch.arange(start, stop).expand(len(x), -1)
    return TokenSequence(x[:, start:stop], info.pick(places))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("heads", [(2, 2), (4, 2), (4, 1)], ids=str)
@pytest.mark.parametrize("qk_norm", [True, False])
@pytest.mark.parametrize("pattern", [Causal(), SlidingWindow(2)], ids=str)
def test_pieces_of_any_size_equal_the_full_pass(pattern, qk_norm, heads, position, side):
    model = backbone(pattern, POSITIONS[position], heads=heads[0], key_heads=heads[1], qk_norm=qk_norm)
    info = TokenInfo.from_lengths([6, 4], side=side)
    x = torch.randn(2, 6, 16, dtype=torch.float64)
    check(model, x, info)


def check(model, x, info):
    full = model(TokenSequence(x, info)).embeddings
    for mode, sizes in product(MODES.values(), ([1] * 6, [3, 1, 2])):
        state, outs = None, []
        for size, stop in zip(sizes, torch.tensor(sizes).cumsum(0).tolist(), strict=True):
            with mode():
                out, state = model.step(piece(x, info, stop - size, stop), state)
            outs.append(out.embeddings)
        torch.testing.assert_close(torch.cat(outs, 1), full, atol=1e-10, rtol=0)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("kernel", ["auto", "reference", "sdpa", "blockwise"])
@pytest.mark.parametrize("bias", [name for name, make in BIASES.items() if make])
def test_biases_know_where_the_cached_keys_stand(bias, kernel, side):
    if kernel == "sdpa" and bias in ("soft cap", "chain"):
        pytest.skip("refused: it does not merely add")
    model = backbone(SlidingWindow(3), score_bias=partial(a_bias, bias), kernel=kernel)
    info = rich([[0] * 6, [1] * 4 + [-1] * 2 if side == "right" else [-1] * 2 + [1] * 4])
    check(model, torch.randn(2, 6, 16, dtype=torch.float64), info)


FORGETTING = {
    "window": (SlidingWindow(3), 4),
    "dilated": (SlidingWindow(2, dilation=3), 7),
    "chunks": (ChunkedCausal(5), 5),
    "window and globals": (Causal() & (SlidingWindow(2) | GlobalTokens()), 23),
    "causal": (Causal(), 23),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("name", FORGETTING)
def test_what_no_later_token_sees_is_forgotten_and_nothing_else(name, side, mode, monkeypatch):
    """Looked through at each step, the cache holds no more than the pattern shows, and the result stays."""
    monkeypatch.setattr("mmattn.mixers.attention.ROOM", -100)
    pattern, most = FORGETTING[name]
    model = backbone(pattern, Rotary())
    info = TokenInfo.from_lengths([23, 19], side=side)
    x = torch.randn(2, 23, 16, dtype=torch.float64)
    full, state = model(TokenSequence(x, info)).embeddings, None
    for start in range(23):
        with MODES[mode]():
            out, state = model.step(piece(x, info, start, start + 1), state)
        torch.testing.assert_close(out.embeddings[:, 0], full[:, start], atol=1e-10, rtol=0)
        assert state[0].key.shape[2] <= most + (4 if side == "right" else 0)  # columns of padding stay with their row


@pytest.mark.parametrize("mode", MODES)
def test_a_cache_is_looked_through_when_it_has_doubled(mode):
    model, length = backbone(SlidingWindow(3)), 300
    info = TokenInfo.from_lengths([length])
    x, state, longest = torch.randn(1, length, 16, dtype=torch.float64), None, 0
    full = model(TokenSequence(x, info)).embeddings
    for start in range(length):
        with MODES[mode]():
            out, state = model.step(piece(x, info, start, start + 1), state)
        torch.testing.assert_close(out.embeddings[:, 0], full[:, start], atol=1e-10, rtol=0)
        longest = max(longest, state[0].key.shape[2])
    assert longest <= 80


@pytest.mark.parametrize("mode", MODES)
def test_an_old_state_stays_valid(mode):
    model, info = backbone(Causal(), Rotary()), TokenInfo.from_lengths([9])
    x = torch.randn(1, 9, 16, dtype=torch.float64)
    full = model(TokenSequence(x, info)).embeddings
    with MODES[mode]():
        state = model.step(piece(x, info, 0, 3), None)[1]
        for start in range(3, 9):
            before = state
            one, state = model.step(piece(x, info, start, start + 1), before)
            model.step(piece(x + 1, info, start, start + 1), before)  # another branch, as in beam search
            again, _ = model.step(piece(x, info, start, start + 1), before)
            torch.testing.assert_close(one.embeddings, full[:, start : start + 1], atol=1e-10, rtol=0)
            assert torch.equal(one.embeddings, again.embeddings)


def test_states_go_from_mode_to_mode():
    model, info = backbone(Causal(), Rotary()), TokenInfo.from_lengths([9])
    x, state = torch.randn(1, 9, 16, dtype=torch.float64), None
    full = model(TokenSequence(x, info)).embeddings
    for start, mode in enumerate([*MODES, *reversed(MODES), *MODES]):
        with MODES[mode]():
            out, state = model.step(piece(x, info, start, start + 1), state)
        torch.testing.assert_close(out.embeddings, full[:, start : start + 1], atol=1e-10, rtol=0)


def test_what_is_cached_is_copied_when_its_room_is_full():
    model, info = backbone(Causal()), TokenInfo.from_lengths([200])
    x, places = torch.randn(1, 200, 16, dtype=torch.float64), set()
    with torch.no_grad():
        state = model.step(piece(x, info, 0, 1), None)[1]
        for start in range(1, 200):
            state = model.step(piece(x, info, start, start + 1), state)[1]
            places.add(state[0].key.data_ptr())
    assert len(places) <= 8


CHANGES = {
    "rows in another order": lambda cache: cache._replace(key=cache.key.flip(0), value=cache.value.flip(0)),
    "one row": lambda cache: cache._replace(
        key=cache.key[:1], value=cache.value[:1], info=cache.info.map(lambda fact: fact[:1])
    ),
    "values that are 0": lambda cache: cache._replace(value=torch.zeros_like(cache.value)),
    "as deep copies": copy.deepcopy,
}


@pytest.mark.parametrize("mode", ["without", "inference"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_cache_that_was_changed_is_read_as_it_is(change, mode):
    model, info = backbone(Causal(), Rotary()).requires_grad_(False), TokenInfo.from_lengths([6, 6])
    x, outs = torch.randn(2, 6, 16, dtype=torch.float64), []
    for way in (torch.enable_grad, MODES[mode]):
        state = None
        with way():
            for start in range(4):
                state = model.step(piece(x, info, start, start + 1), state)[1]
            state = [CHANGES[change](each) for each in state]
            rows = len(state[0].key)
            left = TokenInfo.from_lengths([6] * rows)
            for start in (4, 5):
                out, state = model.step(piece(x[:rows], left, start, start + 1), state)
        outs.append(out.embeddings)
    torch.testing.assert_close(*outs, atol=1e-10, rtol=0)


@pytest.mark.parametrize("first", [torch.bfloat16, torch.float32])
def test_steps_may_differ_in_precision(first):
    torch.manual_seed(0)
    attention, info = Attention(16, 2, pattern=Causal()), TokenInfo.from_lengths([5])
    x, outs = torch.randn(1, 5, 16), []
    for mode in (torch.enable_grad, torch.no_grad):
        state = None
        for start, here in enumerate(Context(info, Position()).pieces(1, 1)[0]):
            half = (start < 3) == (first == torch.bfloat16)
            with mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
                out, state = attention.step(x[:, start : start + 1], here, state)
        outs.append(out.detach())
    torch.testing.assert_close(*outs)


def test_a_gradient_reaches_what_an_earlier_state_held():
    model, info = backbone(Causal()), TokenInfo.from_lengths([4])
    x, weight = torch.randn(1, 4, 16, dtype=torch.float64), torch.ones(1, dtype=torch.float64, requires_grad=True)
    with torch.no_grad():
        state = model.step(piece(x, info, 0, 2), None)[1]
        state = model.step(piece(x, info, 2, 3), state)[1]
    loss = (state[0].value.square() * weight).sum()
    expected = float(state[0].value.square().sum())
    with torch.no_grad():
        model.step(piece(x, info, 3, 4), state)  # stands behind it, in the same room
    loss.backward()
    assert float(weight.grad) == pytest.approx(expected)
