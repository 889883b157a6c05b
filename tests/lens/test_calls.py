"""Maps of every call, and the words that they are shown for."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from mmattn import Memory
from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.lens import Chain, Rescale, capture, edited
from mmattn.lens.calls import Calls
from mmattn.lens.drawn import spread
from mmattn.lens.words import keys_of, with_others, words_of
from mmattn.sequence import PADDING
from mmattn.tokenizers.text import ByteTokenizer
from mmattn.tokenizers.words import WordTokenizer
from tests.core.examples import facts
from tests.lens.examples import READ, both, on_grid, tokens

LAYERS = ["blocks.1.mixer", "blocks.3.mixer"]


def twice(model):
    x, memory = tokens(on_grid(facts([[0, 0, 0, 0, 1, 1, 1], [2, 2, 2, 2, 2, 2, -1]]))), Memory(tokens(READ, 1))
    for _ in range(2):
        x = model(x, memory)


def test_means_over_layers_and_steps_are_those_of_all_maps():
    model, calls = both(depth=4), Calls(4, row=1, keep=True)
    with capture(model, LAYERS, reduce=calls) as maps:
        twice(model)
    assert calls.layers == LAYERS and calls.steps == [0, 1]
    torch.testing.assert_close(calls.mean(), maps.mean(LAYERS)[1:])
    torch.testing.assert_close(calls.mean(LAYERS[1]), maps.mean(LAYERS[1])[1:])
    torch.testing.assert_close(calls.mean(step=0), maps.mean(LAYERS, steps=0)[1:])


def test_maps_that_an_edit_changed_are_taken_as_they_were_used():
    model, plain, louder = both(depth=4), Calls(4), Calls(4)
    with edited(model, plain.used, LAYERS[0]):
        twice(model)
    with edited(model, Chain(Rescale(2, 3.0), louder.used), LAYERS[0]):
        twice(model)
    ratio = louder.maps[LAYERS[0], 0] / plain.maps[LAYERS[0], 0]
    torch.testing.assert_close(ratio[:3, 2], torch.full((3,), 3.0, dtype=torch.float64))
    torch.testing.assert_close(ratio[:3, 1], torch.ones(3, dtype=torch.float64))


def test_what_all_calls_would_take_is_known_at_the_first():
    model = both(depth=4)
    with (
        pytest.raises(ConfigError, match=r"All layers and steps together has a map of 4000 × 7 × 7 weights"),
        capture(model, LAYERS, reduce=Calls(4000, limit=1000)),
    ):
        twice(model)


def test_words_know_their_tokens():
    text = "A big, réd car"
    tokenizer = ByteTokenizer(8, bos=True, prefix=1)
    words = words_of(tokenizer, tokenizer.prepare(Sample("a", text)), text)
    assert [word.text for word in words] == ["A", "big", ",", "réd", "car"]
    assert words[0].keys == (2,) and words[3].keys == (9, 10, 11, 12)
    every = with_others(tokenizer, tokenizer.prepare(Sample("a", text)), words)
    assert [word.text for word in every][:4] == ["prefix 1", "<bos>", "A", "big"] and len(every) == 7
    assert keys_of(words, "CAR", "here") == list(words[4].keys)
    with pytest.raises(ConfigError, match=r"here: the prompt has no word 'bog'.*Did you mean 'big'"):
        keys_of(words, "bog", "here")


def test_words_in_one_token_are_one_and_a_word_has_all_its_tokens():
    def units(_):
        return torch.tensor([PADDING, 2, 9, 11, PADDING])  # bos, "left of", " r", "ed", eos

    tokenizer = SimpleNamespace(units=units, prefix=SimpleNamespace(count=1))
    words = words_of(tokenizer, {}, "a left of red")
    assert [(word.text, word.keys) for word in words] == [("left of", (2,)), ("red", (3, 4))]


def test_a_word_that_is_said_twice_is_louder_twice():
    tokenizer = WordTokenizer(8, least=1)
    text = "a red car and a bus"
    tokenizer.fit([Sample("a", text)])
    words = words_of(tokenizer, tokenizer.prepare(Sample("a", text)), text)
    assert keys_of(words, "a", "here") == [0, 4]


def test_few_are_shown_of_many():
    assert spread(range(100))[::7] == [0, 99] and len(spread(range(100))) == 8 and spread([1, 2]) == [1, 2]
