"""Errors: what they say, and that they reach a user whole."""

from __future__ import annotations

import pickle

import pytest

from mmattn import errors
from mmattn.errors import BadSample, MmattnError, nearest


@pytest.mark.parametrize(
    ("word", "valid", "hint"),
    [
        ("causa", ["full", "causal", "window"], " Did you mean 'causal'?"),
        ("tset", {"train": 1, "test": 2}, " Did you mean 'test'?"),
        ("zebra", ["full", "causal"], ""),
        ("full", ["full"], " Did you mean 'full'?"),
        ("grösse", ["größe"], " Did you mean 'größe'?"),
        ("", ["full"], ""),
        ("full", [], ""),
    ],
)
def test_the_nearest_name_is_offered_where_one_is_near(word, valid, hint):
    assert nearest(word, valid) == hint


def test_of_names_that_are_equally_near_the_choice_does_not_depend_on_their_order():
    assert nearest("seat", ["seal", "seas"]) == nearest("seat", ["seas", "seal"])


def test_the_command_line_prints_every_error_of_ours():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 5 and all(issubclass(kind, MmattnError) for kind in kinds)


def test_a_bad_sample_comes_whole_from_another_process():
    error = pickle.loads(pickle.dumps(BadSample("x.png", "is no image: {}")))
    assert type(error) is BadSample and (error.name, error.fault) == ("x.png", "is no image: {}")
    assert str(error) == "x.png: is no image: {}"
