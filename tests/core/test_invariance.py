"""A sample's outputs and gradients do not depend on batch mates, on padding or on its side.

Every tokenizer of conf/tokenizer × pattern of conf/pattern × position of conf/position, in float64; the quick tests
take pairs of them. What stands at padding and in other rows may be anything, NaN included, without changing a bit;
another shape of the batch may change the order of summation, and is held to 1e-6.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, lru_cache
from importlib import resources

import pytest
import torch
from hydra import compose, initialize_config_module
from hydra.utils import instantiate

from mmattn import Causal, Full, Rotary, SlidingWindow, TokenInfo, TokenSequence
from mmattn.contracts.sameness import in_double
from tests.core.examples import backbone, facts
from tests.tokenizers.examples import build, samples_for

TOLERANCE = 1e-6
SMALL = {  # values at which short samples feel an edge
    "window": ["pattern.before=2"],
    "window_global": ["pattern.left.before=1", "pattern.left.after=1"],
}


def names(group: str) -> list[str]:
    folder = resources.files("mmattn.conf") / group
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


@cache
def part(group: str, name: str, axes: int):
    with initialize_config_module("mmattn.conf", version_base=None):
        config = compose(overrides=[f"+{group}={name}", "+backbone.dim=16", *SMALL.get(name, [])])[group]
    if "axes" in config:
        config.axes = axes
    if "grid" in config:
        config.grid = [160] if axes == 1 else [32, 32]
    return instantiate(config, _convert_="all")


@lru_cache(maxsize=1)
def arrangements(config: str):
    """The tokenizer's parameters, and the tokens of its second longest sample: alone, and first in three batches."""
    torch.manual_seed(0)
    samples = samples_for(config)
    tokenizer = build(config, prefix=1)
    tokenizer.fit(samples)
    tokenizer.double().eval()
    shortest, *_, own, _longest = prepared = sorted(map(tokenizer.prepare, samples), key=tokenizer.length)

    def tokens(batch, side="right"):
        made = tokenizer(in_double(tokenizer.collate(batch, side)))
        prefix = made.info.real & (made.info.order < 2)  # what the prefix-LM pattern reads
        return replace(made, info=replace(made.info, extra={"prefix": prefix}))

    parameters = [each for each in tokenizer.parameters() if each.requires_grad and each.numel()]
    return parameters, tokens([own]), {
        "padded right": tokens([own, *prepared]),
        "padded left": tokens([own, *prepared], "left"),
        "not padded": tokens([own, shortest]),
    }  # fmt: skip


def outcome(model, tokens: TokenSequence, parameters):
    """The first row's outputs, and the gradients that they give."""
    out = model(tokens).embeddings
    own = out[0][tokens.info.real[0]]
    assert (out[~tokens.info.real] == 0).all()
    probe = torch.linspace(-1, 1, own.numel(), dtype=own.dtype).view_as(own)
    gradients = torch.autograd.grad(
        (own * probe).sum(), [*parameters, *model.parameters()], retain_graph=True, materialize_grads=True
    )
    return own, gradients


def combinations():
    """Every pattern with every position; each tokenizer meets all patterns and all positions, the rest is slow."""
    patterns, positions = names("pattern"), names("position")
    for number, config in enumerate(names("tokenizer")):
        for i, pattern in enumerate(patterns):
            for j, position in enumerate(positions):
                marks = [] if (i + number) % len(positions) == j else [pytest.mark.slow]
                yield pytest.param(config, pattern, position, marks=marks)


@pytest.mark.parametrize(("config", "pattern", "position"), combinations())
def test_mates_and_padding_change_neither_outputs_nor_gradients(config, pattern, position):
    parameters, alone, batches = arrangements(config)
    axes = alone.info.coordinates.shape[-1]
    if pattern == "neighbourhood" and axes < 2:
        pytest.skip("a grid's pattern, and these tokens lie on a line")
    model = backbone(part("pattern", pattern, axes), part("position", position, axes).double())
    expected, wanted = outcome(model, alone, parameters)
    assert any((each != 0).any() for each in wanted[: len(parameters)])
    for where, tokens in batches.items():
        out, gradients = outcome(model, tokens, parameters)
        assert (out - expected).abs().max() <= TOLERANCE, where
        for one, other in zip(gradients, wanted, strict=True):
            assert (one - other).abs().max() <= TOLERANCE * max(1, float(other.abs().max())), where


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("pattern", [Full(), Causal(), SlidingWindow(1, 1)], ids=str)
def test_anything_may_stand_at_padding_and_in_other_rows(pattern, side):
    model, info = backbone(pattern, Rotary()), TokenInfo.from_lengths([3, 5], side=side)
    x = torch.randn(2, 5, 16, dtype=torch.float64)
    results = []
    for filling in (0.0, 7.0, float("inf"), float("nan")):
        mine = x.masked_fill(~info.real[..., None], filling).requires_grad_()
        out = model(TokenSequence(mine, info)).embeddings
        results.append([out, *torch.autograd.grad(out.square().sum(), [mine, *model.parameters()])])
    for other in results[1:]:
        assert all(torch.equal(one, two) for one, two in zip(results[0], other, strict=True))
    assert (results[0][1][~info.real] == 0).all()
    mate = x.clone()
    mate[1] = float("nan")
    assert torch.equal(model(TokenSequence(mate, info)).embeddings[0], results[0][0][0])
    stepped, _ = model.step(TokenSequence(x.masked_fill(~info.real[..., None], float("nan")), info), None)
    torch.testing.assert_close(stepped.embeddings, results[0][0], atol=1e-12, rtol=0)


@pytest.mark.parametrize("pattern", [Full(), Causal(), SlidingWindow(1, 1)], ids=str)
def test_mates_in_the_same_row_change_nothing(pattern):
    model, x = backbone(pattern, Rotary()), torch.randn(1, 4, 16, dtype=torch.float64)
    alone = model(TokenSequence(x, TokenInfo.from_lengths([4]))).embeddings
    row = torch.cat([torch.randn(1, 3, 16, dtype=torch.float64), x, torch.randn(1, 2, 16, dtype=torch.float64)], 1)
    out = model(TokenSequence(row, facts([[0, 0, 0, 1, 1, 1, 1, 2, 2]]))).embeddings
    torch.testing.assert_close(out[:, 3:7], alone, atol=1e-10, rtol=0)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)], ids=str)
def test_nothing_in_gives_nothing_out(shape):
    info = TokenInfo.from_lengths([shape[1]] * shape[0], length=shape[1])
    out = backbone(Full(), Rotary())(TokenSequence(torch.zeros(*shape, 16, dtype=torch.float64), info))
    assert out.embeddings.shape == (*shape, 16)
