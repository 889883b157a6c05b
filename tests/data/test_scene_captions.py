"""The language of captions: what is read, what means the same, and what is refused."""

from __future__ import annotations

import pytest

from mmattn.data.scenes import Noun, Request, mentions, parse, same_request
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
