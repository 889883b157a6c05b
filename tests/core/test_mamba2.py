"""Mamba-2 is the paper's recurrence, and the transformers library's layer with the same weights."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import silu, softplus

from mmattn import ConfigError, Position, TokenInfo
from mmattn.benchmarks.mixers import NAMES
from mmattn.context import Context
from mmattn.mixers import Mamba2


def mixer(dim=16, **arguments):
    torch.manual_seed(0)
    found = Mamba2(dim, **{"head_dim": 8, "state": 4, "chunk": 4, **arguments})
    for parameter in (found.skip, found.scale):
        torch.nn.init.normal_(parameter)
    return found


def equations(model, x):
    """One document (length, dim), token by token."""
    inner, _, heads = model.sizes
    z, u, time = model.enter(x).split(model.sizes, -1)
    weight, bias = model.convolution.convolution.weight[:, 0], model.convolution.convolution.bias
    size = weight.shape[1]
    state, outs = 0, []
    for t in range(len(x)):
        near = sum(weight[:, size - 1 - o] * u[t - o] for o in range(min(size, t + 1)))
        seen, b, c = silu(near + bias).split([inner, *2 * [(u.shape[1] - inner) // 2]])
        seen = seen.view(heads, -1)
        b, c = (each.view(model.groups, -1).repeat_interleave(heads // model.groups, 0) for each in (b, c))
        step = softplus(time[t] + model.time)[:, None]
        state = (-model.log_rate.exp()[:, None] * step).exp()[..., None] * state + b[..., None] * (step * seen)[:, None]
        y = (state * c[..., None]).sum(1) + model.skip[:, None] * seen
        gated = (y.flatten() * silu(z[t])).view(model.groups, -1)
        outs.append(model.out(model.scale * model.norm(gated).flatten()))
    return torch.stack(outs)


@pytest.mark.parametrize("groups", [1, 2])
def test_it_is_the_recurrence(groups):
    model = mixer(groups=groups).double()
    x = torch.randn(1, 11, 16, dtype=torch.float64)
    out = model(x, Context(TokenInfo.from_lengths([11]), Position()))[0]
    torch.testing.assert_close(out, equations(model, x[0]), atol=1e-10, rtol=0)


@pytest.mark.parametrize("groups", [1, 2])
def test_it_is_the_layer_of_transformers(groups):
    modelling = pytest.importorskip("transformers.models.mamba2.modeling_mamba2")
    configuration = pytest.importorskip("transformers.models.mamba2.configuration_mamba2")
    model = mixer(groups=groups)
    config = configuration.Mamba2Config(
        hidden_size=16, num_heads=4, head_dim=8, state_size=4, n_groups=groups, expand=2, conv_kernel=4, chunk_size=4,
        use_bias=False, use_conv_bias=True, layer_norm_epsilon=1e-5, num_hidden_layers=1,
    )  # fmt: skip
    theirs = modelling.Mamba2Mixer(config, layer_idx=0)
    own = model.state_dict()
    theirs.load_state_dict({name: own[ours] for name, ours in NAMES.items()})
    x = torch.randn(2, 21, 16)
    out = model(x, Context(TokenInfo.from_lengths([21, 21]), Position()))
    torch.testing.assert_close(out, theirs(x), atol=1e-5, rtol=0)


def test_heads_fade_as_fast_as_is_said_at_first():
    fading = Mamba2(64, head_dim=2, fading=(0.01, 0.5)).log_rate.exp()
    assert 0.01 <= fading.min() < 0.1 < 0.4 < fading.max() <= 0.5


def test_what_does_not_fit_is_named():
    with pytest.raises(ConfigError, match=r"head_dim=24 does not divide the inner width 32 \(expand=2 times dim=16\)"):
        Mamba2(16, head_dim=24)
    with pytest.raises(ConfigError, match="groups=3 does not divide the 4 heads"):
        Mamba2(16, head_dim=8, groups=3)
    with pytest.raises(ConfigError, match="chunk=0 must be a whole number, at least 1"):
        Mamba2(16, head_dim=8, chunk=0)
    with pytest.raises(ConfigError, match="convolution=0 must be a whole number, at least 1"):
        Mamba2(16, head_dim=8, convolution=0)
    for fading in ((0, 1), (2, 1), (1,), 5, None, ("a", "b"), (1, float("inf"))):
        with pytest.raises(ConfigError, match=r"fading=.* must be"):
            Mamba2(16, head_dim=8, fading=fading)
