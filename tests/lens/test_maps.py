"""Captured maps are the formula's weights, whichever kernel ran, and capturing changes nothing."""

from __future__ import annotations

import pytest
import torch

from mmattn import Backbone, Causal, ConfigError, Convolution, Memory, SlidingWindow, TokenInfo
from mmattn.lens import Mean, capture
from mmattn.lens import record as record_module
from mmattn.mixers import AdditiveAttention
from tests.core.asking import HERE
from tests.core.examples import LAYOUTS, facts
from tests.core.rules import ON_A_LINE
from tests.core.test_steps import piece
from tests.lens.examples import BIASES, READ, both, listen, on_grid, tokens

SELF, CROSS = "blocks.0.mixer", "blocks.1.mixer"


def compare(model, run, tolerance=1e-12):
    """The maps of a run, after they were compared with the weights that another formula gives."""
    wanted = listen(model)
    with capture(model) as maps:
        run()
    assert list(wanted) == maps.layers
    for name, calls in wanted.items():
        assert len(maps[name]) == len(calls) > 0
        for record, weights in zip(maps[name], calls, strict=True):
            torch.testing.assert_close(record.weights(), weights.to(record.weights()), atol=tolerance, rtol=0)
    return maps


@pytest.mark.parametrize("kernel", HERE)
@pytest.mark.parametrize("name", ON_A_LINE)
@torch.no_grad()
def test_maps_are_the_formula_for_every_pattern_layout_and_kernel(name, kernel):
    model = both(ON_A_LINE[name], kernel=kernel)
    compare(model, lambda: [model(tokens(facts(rows)), tokens(READ, 1)) for rows in LAYOUTS.values()])


@pytest.mark.parametrize("key_heads", [4, 2, 1])
@pytest.mark.parametrize("bias", BIASES)
@torch.no_grad()
def test_maps_are_the_formula_for_every_bias_and_grouping(bias, key_heads):
    model = both(Causal(), key_heads=key_heads, score_bias=BIASES[bias], kernel="blockwise")
    compare(model, lambda: model(tokens(on_grid(facts(LAYOUTS["packed"]))), tokens(READ, 1)))


def test_a_query_that_sees_nothing_has_zeros_and_the_others_sum_to_one():
    model, info = both(), facts(LAYOUTS["right"])
    maps = compare(model, lambda: model(tokens(info), tokens(READ, 1)))
    sums = maps[SELF][0].weights().sum(-1)
    torch.testing.assert_close(sums, info.real[:, None].double().expand_as(sums), atol=1e-12, rtol=0)
    assert not maps[CROSS][0].weights()[1].any()  # a document that the memory does not have


def test_single_precision_and_half_precision_are_exact_to_their_inputs():
    model, info = both(Causal(), qk_norm=False).float(), facts(LAYOUTS["packed"])
    x, read = (each.with_embeddings(each.embeddings.float()) for each in (tokens(info), tokens(READ, 1)))
    compare(model, lambda: model(x, read), 1e-6)
    with capture(model) as maps, torch.autocast("cpu", torch.bfloat16):
        model(x, read)
        inside = maps[SELF][0].weights()
    assert inside.dtype == torch.float32 and torch.equal(inside, maps[SELF][0].weights())


def test_decoding_records_a_step_a_call_over_all_earlier_keys():
    model, info = both(SlidingWindow(2), depth=4), TokenInfo.from_lengths([6, 4])
    x, memory = tokens(info), Memory(tokens(READ, 1))

    def decode():
        state = None
        for start, stop in ((0, 3), (3, 4), (4, 6)):
            _, state = model.step(piece(x.embeddings, info, start, stop), state, memory)

    maps = compare(model, decode)
    assert [record.shape() for record in maps[SELF]] == [(2, 4, 3, 3), (2, 4, 1, 4), (2, 4, 2, 6)]
    assert [record.step for record in maps[CROSS]] == [0, 1, 2] and maps[CROSS][2].shape() == (2, 4, 2, 7)
    with capture(model, SELF) as whole:
        model(x, memory)
    rows = torch.cat([torch.nn.functional.pad(r.weights(), (0, 6 - r.key.shape[2])) for r in maps[SELF]], 2)
    torch.testing.assert_close(rows, whole[SELF][0].weights(), atol=1e-12, rtol=0)


@pytest.mark.parametrize("kernel", HERE)
def test_outputs_and_gradients_are_bit_identical_in_training(kernel):
    model = both(Causal(), kernel=kernel, weight_dropout=0.3, score_bias=BIASES["learned"]).train()
    x, read = tokens(facts(LAYOUTS["packed"])), tokens(READ, 1)

    def trained():
        torch.manual_seed(5)
        out = model(x, read).embeddings
        return [out, *torch.autograd.grad(out.square().sum(), list(model.parameters()))]

    before = trained()
    with capture(model) as maps:
        inside = trained()
        maps.mean([SELF])  # in the middle of training
        again = trained()
    after = trained()
    for each in (inside, again, after):
        assert all(torch.equal(one, other) for one, other in zip(before, each, strict=True))
    assert not any(record.query.requires_grad or record.weights().requires_grad for record in maps.records())


def test_maps_stay_those_of_the_call_when_the_bias_learns_on():
    model, x = both(score_bias=BIASES["learned"]), tokens(facts(LAYOUTS["plain"]))
    with capture(model, SELF) as maps:
        model(x, tokens(READ, 1))
    before = maps[SELF][0].weights()
    with torch.no_grad():
        model.blocks[0].mixer.score_bias.table += torch.randn_like(model.blocks[0].mixer.score_bias.table)
    assert torch.equal(maps[SELF][0].weights(), before)


def test_maps_of_inference_mode_can_be_asked_for_outside_of_it():
    model, x, read = both(score_bias=BIASES["learned"]), tokens(facts(LAYOUTS["packed"])), tokens(READ, 1)
    with capture(model) as maps, torch.inference_mode():
        model(x, read)
    with capture(model) as others:
        model(x, read)
    for one, other in zip(maps.records(), others.records(), strict=True):
        torch.testing.assert_close(one.weights(), other.weights(), atol=1e-12, rtol=0)
    torch.testing.assert_close(maps.mean(SELF), others.mean(SELF), atol=1e-12, rtol=0)


def test_all_is_put_back_also_after_an_error_and_captures_nest():
    model, x, read = both(), tokens(facts(LAYOUTS["plain"])), tokens(READ, 1)
    before = [block.mixer.attend for block in model.blocks]
    with pytest.raises(RuntimeError, match="stop"), capture(model):
        raise RuntimeError("stop")
    assert [block.mixer.attend for block in model.blocks] == before
    with capture(model) as outer:
        with capture(model, CROSS) as inner:
            model(x, read)
        model(x, read)
    assert [block.mixer.attend for block in model.blocks] == before
    assert inner.layers == [CROSS] and len(inner[CROSS]) == 1
    assert [len(outer[name]) for name in outer.layers] == [2, 2]
    assert torch.equal(inner[CROSS][0].weights(), outer[CROSS][0].weights())


def test_layers_and_heads_are_chosen_by_name_and_number():
    model, x, read = both(depth=4), tokens(facts(LAYOUTS["packed"])), tokens(READ, 1)
    with capture(model, "blocks.[02].*") as some, capture(model, heads=[3, 1]) as heads, capture(model) as all_heads:
        model(x, read)
    assert some.layers == ["blocks.0.mixer", "blocks.2.mixer"]
    whole, part = all_heads[SELF][0].weights(), heads[SELF][0]
    assert part.heads.tolist() == [1, 3] and part.query.shape[1] == part.key.shape[1] == 2
    torch.testing.assert_close(part.weights(), whole[:, [1, 3]], atol=1e-12, rtol=0)
    torch.testing.assert_close(part.weights(heads=3), whole[:, [3]], atol=1e-12, rtol=0)
    asked = all_heads[SELF][0].weights(heads=[2, 0], queries=slice(1, 4), keys=[5, -6])
    torch.testing.assert_close(asked, whole[:, [2, 0], 1:4][..., [5, 0]], atol=1e-12, rtol=0)
    real = x.info.real[0]
    torch.testing.assert_close(all_heads[SELF][0].weights(queries=real), whole[:, :, real], atol=1e-12, rtol=0)


def test_rows_are_computed_in_blocks(monkeypatch):
    model, info = both(SlidingWindow(8), kernel="sdpa"), TokenInfo.from_lengths([60, 50])
    with capture(model, SELF) as maps:
        model(tokens(info), tokens(TokenInfo.from_lengths([5, 5]), 1))
    whole, sizes = maps[SELF][0].weights(), []
    compute = record_module.probabilities

    def counted(*given):
        sizes.append(compute(*given).numel())
        return compute(*given)

    monkeypatch.setattr(record_module, "probabilities", counted)
    monkeypatch.setattr(record_module, "AT_ONCE", 5000)
    torch.testing.assert_close(maps[SELF][0].weights(), whole, atol=1e-12, rtol=0)
    torch.testing.assert_close(maps.mean(keys=[2, 1]), whole.mean(1)[..., [2, 1]], atol=1e-12, rtol=0)
    assert max(sizes) <= 5000 and len(sizes) == 2 * 6  # of 2 · 4 · 10 · 60 weights each


@pytest.mark.parametrize(
    ("heads", "said"),
    [
        ([], "'blocks.0.mixer'.* has 4 heads, and none of them is named"),
        (slice(0, 0), "none of them is named"),
        (torch.zeros(4, dtype=torch.bool), "none of them is named"),
        ([1.7], r"heads=\[1.7\] must be whole numbers"),
        ("1", "heads='1' must be whole numbers"),
    ],
)
def test_heads_that_are_none_are_refused_at_once_and_by_a_mean(heads, said):
    model = both()
    with pytest.raises(ConfigError, match=said):
        capture(model, heads=heads).__enter__()
    with pytest.raises(ConfigError, match=said), capture(model, reduce=Mean(heads=heads)):
        model(tokens(facts(LAYOUTS["plain"])), tokens(READ, 1))


def test_errors_name_the_layer_and_the_remedy():
    model, x, read = both(), tokens(facts(LAYOUTS["plain"])), tokens(READ, 1)
    with pytest.raises(ConfigError, match="'blocks.7.mixer' is no attention layer of Backbone; the nearest: 'blocks"):
        capture(model, "blocks.7.mixer").__enter__()
    with pytest.raises(ConfigError, match="layers names none of blocks.0.mixer, blocks.1.mixer"):
        capture(model, []).__enter__()
    with pytest.raises(ConfigError, match="Backbone has no attention layer"):
        capture(Backbone(16, 1, {"near": Convolution})).__enter__()
    with pytest.raises(ConfigError, match=r"additive attention \(blocks.0.mixer\) are not captured: .*alignment"):
        capture(Backbone(16, 1, {"first": AdditiveAttention})).__enter__()
    with pytest.raises(ConfigError, match="heads=4 does not exist: 'blocks.0.mixer' has 4 heads"):
        capture(model, heads=4).__enter__()
    with capture(model, heads=[0, 2]) as maps:
        model(x, read)
    with pytest.raises(ConfigError, match="'blocks.0.mixr' was not captured.*Did you mean 'blocks.0.mixer'"):
        maps["blocks.0.mixr"]
    record = maps[SELF][0]
    with pytest.raises(ConfigError, match=r"holds the heads \[0, 2\] of 4, and heads=1 is asked for"):
        record.weights(heads=1)
    with pytest.raises(ConfigError, match="heads=3 is asked for"):
        record.weights(heads=-1)
    with pytest.raises(ConfigError, match="heads=4 does not exist: 'blocks.0.mixer', step 0, has 4 heads"):
        record.weights(heads=4)
    with pytest.raises(ConfigError, match="queries=6 does not exist: 'blocks.0.mixer', step 0, has 6 queries"):
        record.weights(queries=[0, 6])
    with pytest.raises(ConfigError, match=r"keys is a mask \(5,\)"):
        record.weights(keys=torch.ones(5, dtype=torch.bool))
    with pytest.raises(ConfigError, match=r"2 × 2 × 6 × 6 weights, 1.1e-06 GiB.*choose fewer heads"):
        record.weights(limit=2 * 2 * 6 * 6 * 8 - 1)
    assert record.weights(limit=2 * 2 * 6 * 6 * 8).shape == (2, 2, 6, 6)
