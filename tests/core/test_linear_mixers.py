"""Layers with linear recurrences are their papers' equations, written token by token on one document."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import elu, logsigmoid, silu

from mmattn import ConfigError, Position, Rotary, TokenInfo
from mmattn.context import Context
from mmattn.mixers import BothWays, DeltaRule, GatedLinearAttention, LinearAttention, Retention
from mmattn.positions import rotate

DIM, HEADS, LENGTH = 12, 3, 7


def made(kind, **arguments):
    torch.manual_seed(0)
    layer = kind(DIM, HEADS, **arguments).double()
    for parameter in layer.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return layer


def heads(x):
    """(length, dim) → heads of (length, width)."""
    return x.unflatten(-1, (HEADS, -1)).transpose(0, 1)


def root_mean_square(y, scale=1.0):
    return y / (y.square().mean(-1, keepdim=True) + torch.finfo(y.dtype).eps).sqrt() * scale


def turned(x, rotation):
    return rotate(x[None], rotation)[0]


def linear_attention(layer, x, rotation):
    q, k, v = (heads(project(x)) for project in (layer.query, layer.key, layer.value))
    q, k = elu(q) + 1, elu(k) + 1
    above, below = turned(q, rotation) @ turned(k, rotation).mT, q @ k.mT
    if not layer.both_ways:
        above, below = above.tril(), below.tril()
    return layer.out((above @ v / below.sum(-1, keepdim=True)).transpose(0, 1).flatten(1))


def retention(layer, x, rotation):
    q, k, v = (heads(project(x)) for project in (layer.query, layer.key, layer.value))
    q, k = turned(q, rotation), turned(k, rotation) / (DIM / HEADS) ** 0.5
    outs = []
    for head in range(HEADS):
        state, fade = 0, 1 - 2.0 ** -(5 + head)
        for t in range(len(x)):
            state = fade * state + k[head, t, :, None] * v[head, t]
            outs.append(root_mean_square(state.T @ q[head, t]))
    y = torch.stack(outs).view(HEADS, len(x), -1).transpose(0, 1).flatten(1)
    return layer.out(silu(layer.gate(x)) * y)


def gated_linear_attention(layer, x, rotation):
    q, k, v = (heads(project(x)) for project in (layer.query, layer.key, layer.value))
    fade = heads((logsigmoid(layer.forget(x)) / 16).exp())
    outs = []
    for head in range(HEADS):
        state = 0
        for t in range(len(x)):
            state = fade[head, t, :, None] * state + k[head, t, :, None] * v[head, t]
            outs.append(root_mean_square(state.T @ q[head, t] / (DIM / 2 / HEADS) ** 0.5, layer.norm.weight))
    y = torch.stack(outs).view(HEADS, len(x), -1).transpose(0, 1).flatten(1)
    return layer.out(silu(layer.gate(x)) * y)


def delta_rule(layer, x, rotation):
    def near(convolution, u):
        weight = convolution.convolution.weight[:, 0]
        size = weight.shape[1]
        return torch.stack(
            [silu(sum(weight[:, -1 - o] * u[t - o] for o in range(min(size, t + 1)))) for t in range(len(u))]
        )

    projections = layer.query, layer.key, layer.value
    q, k, v = (heads(near(c, project(x))) for c, project in zip(layer.convolutions, projections, strict=True))
    q, k = (each / (each.square().sum(-1, keepdim=True) + 1e-6).sqrt() for each in (q, k))
    rate = layer.rate(x).sigmoid()
    outs = []
    for head in range(HEADS):
        state = x.new_zeros(k.shape[-1], v.shape[-1])
        for t in range(len(x)):
            key = k[head, t]
            state = state + rate[t, head] * key[:, None] * (v[head, t] - state.T @ key)
            outs.append(root_mean_square(state.T @ q[head, t], layer.norm.weight))
    return layer.out(torch.stack(outs).view(HEADS, len(x), -1).transpose(0, 1).flatten(1))


LAYERS = {
    "linear": (LinearAttention, linear_attention, {}),
    "linear, both ways": (LinearAttention, linear_attention, {"both_ways": True}),
    "retention": (Retention, retention, {}),
    "gated": (GatedLinearAttention, gated_linear_attention, {}),
    "delta": (DeltaRule, delta_rule, {}),
}


@pytest.mark.parametrize("position", [Position(), Rotary(base=100)], ids=["nowhere", "rotary"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_its_equations(name, position):
    kind, equations, arguments = LAYERS[name]
    layer = made(kind, chunk=3, **arguments)
    x = torch.randn(LENGTH, DIM, dtype=torch.float64)
    context = Context(TokenInfo.from_lengths([LENGTH]), position)
    rotation = context.rotation(DIM // HEADS) if name in ("linear", "linear, both ways", "retention") else None
    torch.testing.assert_close(layer(x[None], context)[0], equations(layer, x, rotation), atol=1e-7, rtol=0)


def test_features_stay_positive_where_elu_rounds_to_minus_one():
    layer = made(LinearAttention).float()
    torch.nn.init.constant_(layer.query.bias, -20)
    x, context = torch.randn(1, 5, DIM, requires_grad=True), Context(TokenInfo.from_lengths([5]), Position())
    for dtype in (None, torch.bfloat16):
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype is not None):
            out = layer(x, context)
        assert out.isfinite().all() and torch.autograd.grad(out.float().square().sum(), x)[0].isfinite().all()


def test_long_sums_do_not_outgrow_half_precision():
    torch.manual_seed(0)
    layer, x = LinearAttention(16, 1), torch.randn(1, 3000, 16)
    context = Context(TokenInfo.from_lengths([3000]), Position())
    expected = layer(x, context)
    out = layer.half()(x.half(), context)
    torch.testing.assert_close(out.float(), expected, atol=0.01, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16], ids=str)
def test_keys_of_nothing_neither_explode_nor_spread(dtype):
    layer = made(DeltaRule).to(dtype)
    x = torch.randn(1, 12, DIM, dtype=dtype)
    x[0, 4:10] = 0
    x.requires_grad_()
    out = layer(x, Context(TokenInfo.from_lengths([11], length=12), Position()))
    (gradient,) = torch.autograd.grad(out[0, :11].float().square().sum(), x)
    assert out[0, :11].isfinite().all() and gradient.isfinite().all() and gradient.abs().max() < 1e5


@pytest.mark.parametrize("kind", [LinearAttention, Retention, GatedLinearAttention, DeltaRule])
def test_what_does_not_fit_is_named(kind):
    with pytest.raises(ConfigError, match="heads=5 does not divide dim=12"):
        kind(DIM, 5)
    with pytest.raises(ConfigError, match="chunk=0 must be a whole number, at least 1"):
        kind(DIM, HEADS, chunk=0)


def test_what_has_no_next_step_says_so():
    context, x = Context(TokenInfo.from_lengths([2]), Position()), torch.zeros(1, 2, DIM)
    with pytest.raises(ConfigError, match="set both_ways=false"):
        LinearAttention(DIM, HEADS, both_ways=True).step(x, context, None)
    with pytest.raises(ConfigError, match="no next step; take its mixer alone"):
        BothWays(DIM, lambda dim: Retention(dim, HEADS)).step(x, context, None)
