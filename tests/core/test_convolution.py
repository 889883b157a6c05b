"""The convolution is torch's on each document alone, whatever stands beside it, and steps as it passes."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import conv1d

from mmattn import Backbone, ConfigError, Convolution, Position, TokenInfo, TokenSequence
from mmattn.context import Context
from tests.core.examples import LAYOUTS, facts
from tests.core.mixing import check_documents_alone, in_steps

WINDOWS = {"both sides": [(1, 1)], "causal": [(2, 0)], "several": [(1, 1), (2, 0), (0, 3)]}


def mixer(windows):
    torch.manual_seed(0)
    return Convolution(8, windows).double()


def reference(model, x):
    """torch's convolution over one document (length, dim)."""
    shares = []
    for out, at in zip(model.sums, model.offsets, strict=True):
        before, after = model.before - at.start, at.stop - 1 - model.before
        weight = out.weight.unflatten(1, (-1, x.shape[1])).transpose(1, 2)
        padded = torch.nn.functional.pad(x.T, (before, after))
        shares.append(conv1d(padded[None], weight, out.bias)[0].T)
    return torch.cat(shares, 1).relu()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("windows", WINDOWS.values(), ids=list(WINDOWS))
def test_each_document_is_convolved_alone(windows, layout):
    model, x = mixer(windows), torch.randn(2, 6, 8, dtype=torch.float64)
    check_documents_alone(model, lambda own: reference(model, own), x, facts(LAYOUTS[layout]))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("windows", [[(2, 0)], [(0, 0)], [(3, 0), (1, 0)]], ids=str)
def test_steps_of_any_size_equal_the_full_pass(windows, side):
    model, info = mixer(windows), TokenInfo.from_lengths([6, 4], side=side)
    x = torch.randn(2, 6, 8, dtype=torch.float64)
    full = model(x, Context(info, Position()))
    for sizes in ([1] * 6, [3, 1, 2]):
        stepped = in_steps(model, x, info, sizes)
        torch.testing.assert_close(stepped[info.real], full[info.real], atol=1e-12, rtol=0)


def test_what_it_cannot_do_is_named():
    with pytest.raises(ConfigError, match="9 windows cannot share dim=8"):
        Convolution(8, [(1, 1)] * 9)
    with pytest.raises(ConfigError, match=r"windows\[0\]\[1\]=-1 must be a whole number, at least 0"):
        Convolution(8, [(1, -1)])
    model, info = mixer([(1, 1)]), TokenInfo.from_lengths([2])
    with pytest.raises(ConfigError, match="set their `after` to 0"):
        model.step(torch.zeros(1, 2, 8, dtype=torch.float64), Context(info, Position()), None)


def test_a_backbone_without_mlp_and_norm_adds_it_to_the_tokens():
    torch.manual_seed(0)
    model = Backbone(8, 1, {"main": Convolution}, mlp=None, norm=lambda dim: torch.nn.Identity()).double()
    info, x = TokenInfo.from_lengths([4, 2]), torch.randn(2, 4, 8, dtype=torch.float64)
    out = model(TokenSequence(x, info)).embeddings
    expected = x + model.blocks[0].mixer(x, Context(info, Position()))
    torch.testing.assert_close(out[info.real], expected[info.real], atol=1e-12, rtol=0)
    assert not [name for name, _ in model.named_parameters() if "mlp" in name]
