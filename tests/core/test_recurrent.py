"""Recurrent layers are the equations of their papers on each document alone, whatever stands beside it."""

from __future__ import annotations

import pytest
import torch

from mmattn import ConfigError, Position, TokenInfo
from mmattn.context import Context
from mmattn.mixers import Recurrent
from tests.core.examples import LAYOUTS, facts
from tests.core.mixing import check_documents_alone, in_steps


def mixer(kind, **arguments):
    torch.manual_seed(0)
    return Recurrent(8, kind, **arguments).double()


def cell(kind, gates_x, gates_h, h, c):
    """The state after a token; what the input and the state bring to each gate is given."""
    if kind == "rnn":
        return torch.tanh(gates_x + gates_h), None
    if kind == "gru":
        (r, z, n), (hr, hz, hn) = gates_x.chunk(3), gates_h.chunk(3)
        reset, update = torch.sigmoid(r + hr), torch.sigmoid(z + hz)
        return (1 - update) * torch.tanh(n + reset * hn) + update * h, None
    i, f, g, o = (gates_x + gates_h).chunk(4)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def one_way(network, kind, x):
    weights = {name: getattr(network, f"{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    h = c = x.new_zeros(network.hidden_size)
    states = []
    for token in x:
        given = weights["weight_ih"] @ token + weights["bias_ih"]
        h, c = cell(kind, given, weights["weight_hh"] @ h + weights["bias_hh"], h, c)
        states.append(h)
    return torch.stack(states)


def reference(model, kind, x):
    """The equations over one document (length, dim)."""
    states = one_way(model.there, kind, x)
    if model.back is not None:
        states = torch.cat([states, one_way(model.back, kind, x.flip(0)).flip(0)], 1)
    return model.out(states)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("both_ways", [False, True])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_each_document_is_read_alone(kind, packed, both_ways, layout, monkeypatch):
    monkeypatch.setattr("mmattn.mixers.recurrent.WASTE", 0 if packed else 100)
    model, info = mixer(kind, both_ways=both_ways), facts(LAYOUTS[layout])
    x = torch.randn(2, 6, 8, dtype=torch.float64)
    x = x.masked_fill(~info.real[..., None], torch.nan)  # nothing may read padding
    check_documents_alone(model, lambda own: reference(model, kind, own), x, info)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_steps_of_any_size_equal_the_full_pass(kind, side):
    model, info = mixer(kind, hidden=5), TokenInfo.from_lengths([6, 4], side=side)
    x = torch.randn(2, 6, 8, dtype=torch.float64)
    full = model(x, Context(info, Position()))
    for sizes in ([1] * 6, [3, 1, 2]):
        stepped = in_steps(model, x, info, sizes)
        torch.testing.assert_close(stepped[info.real], full[info.real], atol=1e-12, rtol=0)


def test_a_new_document_in_a_row_starts_anew_in_steps_too():
    model, info = mixer("lstm"), facts(LAYOUTS["packed"])
    x = torch.randn(2, 6, 8, dtype=torch.float64)
    stepped = in_steps(model, x, info, [2, 2, 2])
    full = model(x, Context(info, Position()))
    torch.testing.assert_close(stepped[info.real], full[info.real], atol=1e-12, rtol=0)


def test_padding_inside_a_row_is_passed_over_in_one_pass_and_in_steps():
    model = mixer("gru")
    info = TokenInfo.concatenate([TokenInfo.from_lengths([2], length=3), TokenInfo.from_lengths([3])])
    x = torch.randn(1, 6, 8, dtype=torch.float64)
    full = model(x, Context(info, Position()))
    torch.testing.assert_close(full[info.real], reference(model, "gru", x[info.real]), atol=1e-12, rtol=0)
    torch.testing.assert_close(in_steps(model, x, info, [3, 3]), full, atol=1e-12, rtol=0)


@pytest.mark.parametrize("lengths", [[6, 6], [6, 4]])
@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_it_runs_under_autocast_and_on_small_integers(kind, lengths):
    model, info = mixer(kind).float(), TokenInfo.from_lengths(lengths).map(lambda fact: fact.to(torch.int32))
    x = torch.randn(2, 6, 8)
    expected = model(x, Context(info, Position()))
    with torch.autocast("cpu", torch.bfloat16):
        out = model(x, Context(info, Position()))
        stepped, _ = model.step(x, Context(info, Position()), None)
    torch.testing.assert_close(out.float(), expected, atol=0.05, rtol=0)
    torch.testing.assert_close(stepped[info.document >= 0], out[info.document >= 0], atol=0.02, rtol=0)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
def test_nothing_gives_nothing(shape):
    info = TokenInfo.from_lengths([0] * shape[0], length=shape[1])
    assert mixer("gru")(torch.zeros(*shape, 8, dtype=torch.float64), Context(info, Position())).shape == (*shape, 8)


@pytest.mark.parametrize("kind", ["gru", "lstm"])
@pytest.mark.parametrize("both_ways", [False, True])
def test_units_may_begin_by_remembering_for_a_span(kind, both_ways):
    layer = mixer(kind, hidden=512, span=1024, both_ways=both_ways)
    for network in (layer.there, layer.back)[: 1 + both_ways]:
        begun = tuple(torch.ones(1, 1, 512, dtype=torch.float64) for _ in range(1 + (kind == "lstm")))
        x = torch.zeros(1, 100, 8, dtype=torch.float64)
        with torch.no_grad():
            for weight in (network.weight_hh_l0, network.bias_hh_l0):
                weight.zero_()
            _, after = network(x, begun if kind == "lstm" else begun[0])
        kept = (after[1] if kind == "lstm" else after).flatten()
        # (t/(t + 1))¹⁰⁰ of t drawn from 1 to 1,023 is 0.73 in the mean and 0.91 at most
        assert 0.7 < kept.mean() < 0.85 and kept.min() < 0.3 and kept.max() > 0.87


def test_what_it_cannot_do_is_named():
    with pytest.raises(ConfigError, match="no recurrent kind 'lstn'; known: rnn, gru, lstm. Did you mean 'lstm'"):
        Recurrent(8, "lstn")
    with pytest.raises(ConfigError, match="hidden=0 must be a whole number, at least 1"):
        Recurrent(8, hidden=0)
    with pytest.raises(ConfigError, match="span=9: kind=rnn has no gate that keeps its state; set it to null"):
        Recurrent(8, "rnn", span=9)
    with pytest.raises(ConfigError, match="span=2 must be a whole number, at least 3"):
        Recurrent(8, span=2)
    model, info = mixer("gru", both_ways=True), TokenInfo.from_lengths([2])
    with pytest.raises(ConfigError, match="set both_ways=false"):
        model.step(torch.zeros(1, 2, 8, dtype=torch.float64), Context(info, Position()), None)
