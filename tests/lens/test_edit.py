"""Edits stand in the middle of the formula, and an edit that does nothing changes nothing."""

from __future__ import annotations

import pytest
import torch

from mmattn import Causal, ConfigError, Memory, TokenInfo
from mmattn.lens import Blend, Chain, Replace, Rescale, aligned, capture, edited
from tests.core.asking import HERE
from tests.core.examples import LAYOUTS, facts
from tests.core.rules import ON_A_LINE
from tests.core.test_steps import piece
from tests.lens.examples import BIASES, READ, both, on_grid, tokens

CROSS = "blocks.1.mixer"
CLOSE = {"atol": 1e-12, "rtol": 0}


def unchanged(weights, record):
    return weights


def words(count, seed):
    """A memory of one document a row, as long in both."""
    return tokens(TokenInfo.from_lengths([count, count]), seed)


def image():
    return tokens(TokenInfo.from_lengths([6, 6]))


@pytest.mark.parametrize("kernel", HERE)
@pytest.mark.parametrize("name", ON_A_LINE)
def test_no_edit_is_no_change_in_outputs_and_gradients(name, kernel):
    model = both(ON_A_LINE[name], kernel=kernel, score_bias=BIASES["learned"])
    for layout in LAYOUTS.values():
        x, read = tokens(facts(layout)), tokens(READ, 1)
        before = model(x, read).embeddings
        with edited(model, unchanged):
            after = model(x, read).embeddings
        torch.testing.assert_close(after, before, **CLOSE)
        both_gradients = [torch.autograd.grad(out.square().sum(), list(model.parameters())) for out in (before, after)]
        torch.testing.assert_close(*both_gradients, atol=1e-10, rtol=0)


@pytest.mark.parametrize("bias", BIASES)
def test_no_edit_is_no_change_with_any_bias_nor_with_dropout(bias):
    model = both(Causal(), kernel="reference", score_bias=BIASES[bias], weight_dropout=0.4).train()
    x, read = tokens(on_grid(facts(LAYOUTS["packed"]))), tokens(READ, 1)
    torch.manual_seed(0)
    before = model(x, read).embeddings
    torch.manual_seed(0)
    with edited(model, Chain()):
        torch.testing.assert_close(model(x, read).embeddings, before, **CLOSE)


def test_an_edit_changes_what_is_read_and_all_is_put_back():
    model, x, read = both(), image(), words(3, 1)
    before, seams = model(x, read).embeddings, [block.mixer.attend for block in model.blocks]
    value = model.blocks[1].mixer.values(read.embeddings)
    outs = []

    def second_key(weights, record):
        assert record.layer == CROSS and weights.shape == (2, 4, 6, 3)
        outs.append(record)
        return torch.zeros_like(weights).index_fill(-1, torch.tensor([1]), 1.0)

    with edited(model, second_key, CROSS), capture(model, CROSS, reduce=lambda record: record.weights()) as maps:
        hook = model.blocks[1].mixer.out.register_forward_hook(lambda layer, given, out: outs.append(given[0]))
        changed = model(x, read).embeddings
        hook.remove()
    expected = value[:, :, 1].repeat_interleave(2, 1).flatten(1)[:, None].expand(-1, 6, -1)
    torch.testing.assert_close(outs[1], expected, **CLOSE)
    assert not torch.allclose(changed, before) and torch.equal(model(x, read).embeddings, before)
    assert [block.mixer.attend for block in model.blocks] == seams
    torch.testing.assert_close(maps[CROSS][0], outs[0].weights(), **CLOSE)  # maps are those before the edit
    with pytest.raises(RuntimeError, match="stop"), edited(model, unchanged):
        raise RuntimeError("stop")
    assert [block.mixer.attend for block in model.blocks] == seams


def test_an_edit_cannot_show_what_the_pattern_hides():
    model, x, read = both(Causal()), tokens(facts(LAYOUTS["packed"])), tokens(READ, 1)
    changed = x.with_embeddings(x.embeddings.clone())
    changed.embeddings[0, 2:] *= torch.rand(16, dtype=torch.float64)  # another document
    with edited(model, lambda weights, record: weights + 1.0):
        one, other = model(x, read).embeddings, model(changed, read).embeddings
    assert torch.equal(one[0, :2], other[0, :2]) and not torch.allclose(one[0, 2:5], other[0, 2:5])


def test_rescale_multiplies_a_words_weights_and_blend_goes_part_of_the_way():
    model, x, read = both(), image(), words(4, 1)
    seen = {}

    def look(name, edit):
        def looked(weights, record):
            seen[name] = edit(weights, record)
            return seen[name]

        with edited(model, looked, CROSS):
            return model(x, read).embeddings

    plain = look("plain", unchanged)
    louder = Rescale([1, -1], 3.0)
    look("louder", louder)
    factors = torch.tensor([1.0, 3.0, 1.0, 3.0], dtype=torch.float64)
    torch.testing.assert_close(seen["louder"], seen["plain"] * factors, **CLOSE)
    torch.testing.assert_close(look("none", Blend(louder, 0.0)), plain, **CLOSE)
    torch.testing.assert_close(look("once", Rescale(0, 1.0)), plain, **CLOSE)
    look("half", Blend(louder, 0.5))
    torch.testing.assert_close(seen["half"], (seen["plain"] + seen["louder"]) / 2, **CLOSE)
    look("chain", Chain(louder, Rescale(1, 2.0)))
    torch.testing.assert_close(seen["chain"], seen["louder"] * torch.tensor([1.0, 2.0, 1.0, 1.0]), **CLOSE)


def sample(model, read, steps=4):
    """Outputs of some sampling steps that read the same memory."""
    memory = Memory(read)
    return [model(tokens(TokenInfo.from_lengths([6, 6]), 10 + step), memory).embeddings for step in range(steps)]


@pytest.mark.parametrize("kernel", HERE)
def test_a_models_own_maps_change_nothing(kernel):
    model, read = both(kernel=kernel, depth=4), words(3, 1)
    with capture(model) as maps:
        before = sample(model, read)
    with edited(model, Replace(maps)):
        for one, other in zip(sample(model, read), before, strict=True):
            torch.testing.assert_close(one, other, **CLOSE)


def test_replaced_maps_are_the_others_with_the_steps_and_keys_that_the_mapping_names():
    model, source, other = both(), words(3, 1), words(4, 2)
    with capture(model, CROSS) as maps:
        sample(model, source)
    mapping = aligned("a red car".split(), "a big red car".split())
    assert mapping == [0, -1, 1, 2]
    own, after = [], []
    replace = Replace(maps, mapping, share=0.5)

    def looked(weights, record):
        own.append(weights)
        after.append(replace(weights, record))
        return after[-1]

    with edited(model, looked, CROSS):
        sample(model, other)
    for step in (0, 1):
        theirs = maps[CROSS][step].weights()
        torch.testing.assert_close(after[step][..., [0, 2, 3]], theirs, **CLOSE)
        assert torch.equal(after[step][..., 1], own[step][..., 1])
    assert torch.equal(after[2], own[2]) and torch.equal(after[3], own[3])


def test_one_row_may_be_the_source_of_all():
    model, read = both(), words(3, 1)
    with capture(model, CROSS) as maps:
        one = TokenInfo.from_lengths([6])
        model(tokens(one, 3), tokens(TokenInfo.from_lengths([3]), 4))
    replace, seen = Replace(maps), []
    with edited(model, lambda weights, record: seen.append(replace(weights, record)) or seen[-1], CROSS):
        model(image(), read)
    torch.testing.assert_close(seen[0], maps[CROSS][0].weights().expand(2, -1, -1, -1), **CLOSE)


def test_decoding_can_be_edited():
    model, info = both(Causal()), TokenInfo.from_lengths([4])
    x, read = tokens(info), tokens(TokenInfo.from_lengths([3]), 1)
    factor = Rescale(1, 5.0)
    with edited(model, factor, CROSS):
        full = model(x, read).embeddings
        state, outs = None, []
        for step in range(4):
            out, state = model.step(piece(x.embeddings, info, step, step + 1), state, read)
            outs.append(out.embeddings)
    torch.testing.assert_close(torch.cat(outs, 1), full, **CLOSE)


@pytest.mark.parametrize(
    ("other", "mapping"),
    [
        ("a blue car", [0, 1, 2]),  # a word is swapped
        ("a red car at night", [0, 1, 2, -1, -1]),  # words are added
        ("the very old car", [-1, -1, -1, 2]),  # two become three: theirs are new
        ("car", [2]),
    ],
)
def test_words_are_aligned(other, mapping):
    assert aligned(["a", "red", "car"], other.split()) == mapping


def test_errors_say_what_does_not_fit():
    model, read = both(), words(3, 1)
    with capture(model) as maps:
        sample(model, read, 2)
    with capture(model, CROSS, heads=0) as one_head:
        sample(model, read, 1)
    with pytest.raises(ConfigError, match="no token in common"):
        aligned(["a", "b"], ["c"])
    for edit, wrong in [
        (Replace(maps), "reads 4 keys, and the source's 3: .* aligned"),
        (Replace(maps, [0, 1]), "the mapping has 2 entries, and 'blocks.1.mixer' 4 keys"),
        (Replace(maps, [0, 1, 2, 3]), "outside of −1 … 2"),
        (Replace(one_head, [0, 1, 2, -1]), r"\(2, 4, 6\), and the source \(2, 1, 6\)"),
        (lambda weights, record: weights[:, :1], r"weights \(2, 4, 6, 4\), and the edit gave \(2, 1, 6, 4\)"),
        (Rescale(4, 2.0), "keys=4 does not exist"),
    ]:
        with pytest.raises(ConfigError, match=wrong), edited(model, edit, CROSS):
            sample(model, words(4, 2), 1)
    with (
        pytest.raises(ConfigError, match="step 2, is called, and the source has 2 steps"),
        edited(model, Replace(maps)),
    ):
        sample(model, read, 3)
    with pytest.raises(ConfigError, match="alpha=1.5"):
        Blend(unchanged, 1.5)
    with pytest.raises(ConfigError, match="share=-1"):
        Replace(maps, share=-1)
    with pytest.raises(ConfigError, match="2 × 4 × 6 × 6 weights"), edited(model, unchanged, limit=1000):
        model(image(), read)
    with edited(model, unchanged), capture(model), pytest.raises(ConfigError, match="edited already: .* one `Chain`"):
        edited(model, unchanged, CROSS).__enter__()


def test_special_tokens_are_no_words_in_common():
    assert aligned(["<bos>", "a"], ["<bos>", "a", "b"], {"<bos>"}) == [0, 1, -1]
    with pytest.raises(ConfigError, match="no token in common"):
        aligned(["<bos>", "a"], ["<bos>", "b", "c"], {"<bos>"})
