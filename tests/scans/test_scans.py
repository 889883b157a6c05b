"""The chunked forms are the papers' recurrences: outputs, states and gradients, whatever documents and padding."""

from __future__ import annotations

import pytest
import torch

from mmattn.scans import Segments, channelwise, decayed, delta
from mmattn.scans.reference import recurrence, weights

LAYOUTS = {
    "plain": [[0] * 23, [1] * 23],
    "right": [[0] * 17 + [-1] * 6, [1] * 23],
    "left": [[-1] * 9 + [0] * 14, [1] * 23],
    "packed": [[0] * 6 + [1] * 11 + [2] * 4 + [-1] * 2, [3] + [4] * 2 + [5] * 20],
    "gaps": [[0] * 3 + [-1] * 7 + [0] * 4 + [-1] * 9, [-1] * 2 + [1] * 5 + [-1] * 9 + [2] * 7],
}
HEADS, WIDTH, SIZE = 3, 4, 5


def problem(layout, fades):
    """Leaves (query, key, value, log decay, rate, state) and segments that go on from a state in the first row."""
    torch.manual_seed(0)
    document = torch.tensor(LAYOUTS[layout])
    shape = (2, HEADS, document.shape[1])

    def random(*size):
        return torch.randn(*size, dtype=torch.float64)

    key = torch.nn.functional.normalize(random(*shape, WIDTH), dim=-1)
    log_decay = -random(*shape, WIDTH if fades == "channels" else 1).abs() * (fades != "never")
    values = [random(*shape, WIDTH), key, random(*shape, SIZE), log_decay, random(*shape).sigmoid()]
    values.append(random(2, HEADS, WIDTH, SIZE))
    return [each.requires_grad_() for each in values], Segments.of(document, torch.tensor([0, 9]))


def chunked(form, values, segments, chunk):
    query, key, value, log_decay, rate, state = values
    if form == "channelwise":
        return channelwise(query, key, value, log_decay, segments, state, chunk)
    if form == "delta":
        return delta(query, key, value, rate, segments, state, chunk)
    fades = None if form == "linear" else log_decay.mT
    y, last = decayed(query, key, value[:, :, None], fades, segments, state[:, :, None], chunk)
    return y[:, :, 0], last[:, :, 0]


FORMS = {"linear": "never", "decayed": "heads", "channelwise": "channels", "delta": "never"}


def read(form, values):
    """Those that a form has a use for."""
    query, key, value, log_decay, rate, *state = values
    return [query, key, value, *{"linear": [], "delta": [rate]}.get(form, [log_decay]), *state]


def check(found, expected, inputs):
    probes = [torch.randn_like(each) for each in expected]
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=0)
    gradients = [
        torch.autograd.grad(
            sum((each * probe).sum() for each, probe in zip(side, probes, strict=True)),
            inputs,
            retain_graph=True,
            allow_unused=True,
            materialize_grads=True,
        )
        for side in (found, expected)
    ]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=0)


@pytest.mark.parametrize("chunk", [1, 4, 16, 64])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", FORMS)
def test_chunks_are_the_recurrence(form, layout, chunk):
    values, segments = problem(layout, FORMS[form])
    query, key, value, log_decay, rate, state = values
    real = segments.real[:, None, :, None]
    y, last = recurrence(query, key, value, log_decay.exp(), segments, state, rate if form == "delta" else None)
    found, after = chunked(form, values, segments, chunk)
    check((found * real, after), (y * real, last), read(form, values))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", ["linear", "decayed", "channelwise"])
def test_the_quadratic_form_is_the_recurrence(form, layout):
    values, _ = problem(layout, FORMS[form])
    segments = Segments.of(torch.tensor(LAYOUTS[layout]))
    query, key, value, log_decay = values[:4]
    real = segments.real[:, None, :, None]
    y, _ = recurrence(query, key, value, log_decay.exp(), segments)
    check(((weights(query, key, log_decay.exp(), segments) @ value) * real,), (y * real,), read(form, values[:5]))


@pytest.mark.parametrize("form", FORMS)
def test_a_state_that_is_handed_over_makes_two_calls_one(form):
    values, _ = problem("packed", FORMS[form])
    *tokens, state = values
    document, before = torch.tensor(LAYOUTS["packed"]), torch.tensor([0, 9])
    whole = chunked(form, values, Segments.of(document, before), 4)
    outs = []
    for part in (slice(0, 9), slice(9, 23)):
        segments = Segments.of(document[:, part], before)
        y, state = chunked(form, [*(each[:, :, part] for each in tokens), state], segments, 4)
        outs.append(y)
        before = segments.last
    torch.testing.assert_close(torch.cat(outs, 2)[:, :, :21], whole[0][:, :, :21], atol=1e-12, rtol=0)
    torch.testing.assert_close(state, whole[1], atol=1e-12, rtol=0)


def test_heads_of_a_group_share_queries_and_keys():
    (query, key, value, *_), segments = problem("packed", "heads")
    several = torch.stack([value, 2 * value.flip(1)], 2)
    log_decay = -torch.rand(2, HEADS, 2, 23, dtype=torch.float64)
    y, state = decayed(query, key, several, log_decay, segments, chunk=4)
    for head in range(2):
        alone = decayed(query, key, several[:, :, head, None], log_decay[:, :, head, None], segments, chunk=4)
        torch.testing.assert_close(y[:, :, head], alone[0][:, :, 0], atol=1e-12, rtol=0)
        torch.testing.assert_close(state[:, :, head], alone[1][:, :, 0], atol=1e-12, rtol=0)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("length", [0, 1])
def test_short_sequences(form, length):
    values, _ = problem("plain", FORMS[form])
    *tokens, state = values
    segments = Segments.of(torch.zeros(2, length, dtype=torch.long))
    y, last = chunked(form, [*(each[:, :, :length] for each in tokens), state], segments, 4)
    assert y.shape == (2, HEADS, length, SIZE) and last.shape == state.shape
    if not length:
        assert torch.equal(last, state)


def test_segments_know_who_goes_on():
    document = torch.tensor([[-1, 3, 3, -1, 3, 4, -1], [5, 5, 6, 6, 6, 6, 6], [-1] * 7])
    segments = Segments.of(document, torch.tensor([3, -1, 8]))
    assert segments.number.tolist() == [[0, 0, 0, 0, 0, 1, 1], [1, 1, 2, 2, 2, 2, 2], [0] * 7]
    assert segments.last.tolist() == [4, 6, 8]
    assert Segments.of(document).number[0].tolist() == [0, 1, 1, 1, 1, 2, 2]


@pytest.mark.parametrize("form", ["decayed", "channelwise"])
def test_strong_decays_neither_overflow_nor_turn_gradients_into_nan(form):
    values, segments = problem("packed", FORMS[form])
    values[3].data.mul_(1e4)
    found = chunked(form, [each.float() for each in values], segments, 16)
    gradients = torch.autograd.grad(found[0].sum(), values, allow_unused=True, materialize_grads=True)
    assert all(each.isfinite().all() for each in (*found, *gradients))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_half_precision_is_that_of_what_goes_in_and_out(form, dtype):
    values, segments = problem("packed", FORMS[form])
    halves = [each.detach().to(dtype) for each in values]
    expected = chunked(form, [each.float() for each in halves], segments, 4)
    with torch.autocast("cpu", torch.bfloat16):
        y, state = chunked(form, halves, segments, 4)
    assert y.dtype == dtype and state.dtype == torch.float32
    assert torch.equal(y, expected[0].to(dtype)) and torch.equal(state, expected[1])
