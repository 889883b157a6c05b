"""The language of captions: what is read, what means the same, and what is refused."""

from __future__ import annotations

import numpy
import pytest

from mmattn.data.scenes import Noun, Request, Scenes, meaning, mentions, parse, same_request, swapped
from mmattn.data.scenes.compose import HELD_OUT
from mmattn.data.scenes.grammar import WORDS
from mmattn.errors import ConfigError


def test_a_caption_is_read():
    assert parse("a red circle") == Request((Noun("red", "circle"),))
    assert parse("A small Red circle  to the left of a blue square below a large black star") == Request(
        (Noun("red", "circle", "small"), Noun("blue", "square"), Noun("black", "star", "large")), ("left", "below")
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a red circle left of a blue star", "a blue star to the right of a red circle"),
        ("a red circle above a blue star", "a blue star below a red circle"),
        (
            "a red star above a blue star left of a small red cross",
            "a small red cross right of a blue star below a red star",
        ),
        ("a red star left of a red star", "a red star right of a red star"),
    ],
)
def test_captions_of_one_meaning(first, second):
    assert same_request(parse(first), parse(second)) and first != second


@pytest.mark.parametrize(
    "other",
    [
        "a red circle right of a blue star",
        "a blue star left of a red circle",
        "a red circle above a blue star",
        "a small red circle left of a blue star",
        "a red circle",
    ],
)
def test_captions_of_another_meaning(other):
    assert not same_request(parse("a red circle left of a blue star"), parse(other))


def test_words_that_name_things():
    text = "a small red circle left of a blue star"
    assert [(text[each.start : each.stop], each.thing) for each in mentions(text)] == [
        ("small", 0), ("red", 0), ("circle", 0), ("blue", 1), ("star", 1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("caption", "message"),
    [
        ("a rad circle", r"'a rad circle': 'rad' is none of its words \(a, small, .*Did you mean 'red'\?"),
        ("a red cirle", r"'cirle' is none .*Did you mean 'circle'\?"),
        ("a circle", "'circle' stands after 'a' where a colour should"),
        ("", "the end stands where 'a' should"),
        ("a red", "the end stands after 'red' where a shape should"),
        ("a red small circle", "'small' stands after 'red' where a shape should"),
        ("a red circle a blue star", r"'a' stands after 'circle' where 'left of', .* should; write it like"),
        ("a red circle left a blue star", "'left' stands after 'circle'"),
        ("a red circle above", "the end stands after 'above' where 'a' should"),
        (" above ".join(["a red star"] * 4), "names 4 things: name at most 3"),
    ],
)
def test_what_is_not_understood_is_named(caption, message):
    with pytest.raises(ConfigError, match=message):
        parse(caption)


def test_the_vocabulary_is_small():
    assert len(WORDS) == len(set(WORDS)) == 21


def test_what_a_text_says():
    same = meaning("a red circle left of a blue star"), meaning("A blue star to the right of a red circle")
    assert same[0] == same[1] != meaning("a blue star left of a red circle")
    assert meaning("a red red") == "a red red"


@pytest.mark.parametrize(
    ("caption", "wrong"),
    [
        (
            "a red circle left of a small blue star",
            {
                "a red circle right of a small blue star", "a red circle to the right of a small blue star",
                "a red circle above a small blue star",
                "a blue circle left of a small red circle", "a red star left of a small blue circle",
            },
        ),
        ("a red circle above a red star", {"a red circle below a red star"}),
    ],
)  # fmt: skip
def test_a_swapped_caption_has_the_words_and_another_meaning(caption, wrong):
    made = {swapped(caption, numpy.random.default_rng(seed)) for seed in range(60)}
    assert all(meaning(each) != meaning(caption) for each in made)
    nouns = sorted(word for word in caption.split() if word in "red blue circle star".split())
    assert all(sorted(w for w in each.split() if w in nouns) == nouns for each in made) and made & wrong


def test_a_swapped_caption_asks_for_no_pair_that_is_held_out():
    for sample in Scenes(train=400, most=3, sized=3).samples("train"):
        asked = parse(sample.value["swapped"])
        assert not {(noun.colour, noun.shape) for noun in asked.nouns} & set(HELD_OUT)
        assert meaning(sample.value["swapped"]) != meaning(sample.value["text"])
