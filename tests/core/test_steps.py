"""Decoding with a cache equals the full pass."""

from __future__ import annotations

from functools import partial

import pytest
import torch

from mmattn import Causal, Learned, Position, Rotary, Sinusoidal, SlidingWindow, TokenInfo, TokenSequence
from tests.core.bias_examples import BIASES, a_bias
from tests.core.examples import backbone, rich

POSITIONS = {"none": Position(), "rotary": Rotary(), "sinusoidal": Sinusoidal(), "learned": Learned(16, [8]).double()}


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
    for sizes in ([1] * 6, [3, 1, 2]):
        state, outs = None, []
        for size, stop in zip(sizes, torch.tensor(sizes).cumsum(0).tolist(), strict=True):
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


def test_an_old_state_stays_valid():
    model, info = backbone(Causal(), Rotary()), TokenInfo.from_lengths([4])
    x = torch.randn(1, 4, 16, dtype=torch.float64)
    _, state = model.step(piece(x, info, 0, 3), None)
    one, _ = model.step(piece(x, info, 3, 4), state)
    model.step(piece(x + 1, info, 3, 4), state)  # another branch, as in beam search
    again, _ = model.step(piece(x, info, 3, 4), state)
    assert torch.equal(one.embeddings, again.embeddings)
