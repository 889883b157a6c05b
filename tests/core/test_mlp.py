"""The part of a layer that works on each token alone, against its formula."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import gelu, relu, silu

from mmattn.mlp import MLP, GatedMLP

X = torch.randn(2, 3, 6, generator=torch.Generator().manual_seed(0))


def linear(x, layer):
    return x @ layer.weight.T + (0 if layer.bias is None else layer.bias)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("activation", [gelu, relu])
def test_mlp(activation, bias):
    mlp = MLP(6, 1.5, activation, bias)
    hidden = activation(linear(X, mlp.expand))
    assert hidden.shape[-1] == 9
    torch.testing.assert_close(mlp(X), linear(hidden, mlp.contract))


@pytest.mark.parametrize("bias", [True, False])
def test_gated_mlp(bias):
    mlp = GatedMLP(6, 2.0, bias=bias)
    hidden = silu(linear(X, mlp.gate)) * linear(X, mlp.expand)
    torch.testing.assert_close(mlp(X), linear(hidden, mlp.contract))


def test_both_have_as_many_weights_by_default():
    plain, gated = (sum(p.numel() for p in kind(96, bias=False).parameters()) for kind in (MLP, GatedMLP))
    assert plain == gated == 8 * 96**2


@pytest.mark.parametrize("kind", [MLP, GatedMLP])
def test_a_token_sees_no_other(kind):
    mlp, changed = kind(6), X.clone()
    changed[:, 1] += 1
    out, other = mlp(X), mlp(changed)
    assert torch.equal(out[:, [0, 2]], other[:, [0, 2]]) and not torch.equal(out[:, 1], other[:, 1])
