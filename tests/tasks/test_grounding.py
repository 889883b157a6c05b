"""The pointing game: on maps made by hand, and on those of a task that makes pictures."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmattn.build import build
from mmattn.composition.compose import composed
from mmattn.data.scenes import Scene, Scenes, Thing, draw
from mmattn.data.source import Sample
from mmattn.lens import capture
from mmattn.tasks.grounding import Pointed, figures, pointed, reading, reading_layers
from mmattn.tasks.scene_judge import SceneJudge
from mmattn.tokenizers.bpe import BPETokenizer
from mmattn.tokenizers.text import ByteTokenizer
from mmattn.tokenizers.words import WordTokenizer

CAPTION = "a red circle left of a blue square"
THINGS = Thing("red", "circle", 0.25, 0.5, 0.16), Thing("blue", "square", 0.75, 0.5, 0.16)
PICTURE = np.asarray(draw(Scene(THINGS), 64))
GRID = torch.cartesian_prod(torch.arange(8), torch.arange(8))


def words_of(dim=8, **arguments):
    found = WordTokenizer(dim, least=1, **arguments)
    found.fit([Sample("a", CAPTION)])
    return found


def pieces():
    found = BPETokenizer(8, vocabulary_size=270)
    found.fit([Sample("a", CAPTION)] * 4)
    return found


TOKENIZERS = {"words": words_of, "prefix": lambda: words_of(prefix=2), "bytes": lambda: ByteTokenizer(8), "bpe": pieces}


def game(source, where, caption=CAPTION, picture=PICTURE):
    """Each word's tokens are read at `where[word]` (row, column), everything else everywhere a little."""
    prepared = source.prepare(Sample("it", caption))
    weights = torch.full((2, 64, source.length(prepared)), 0.001)
    starts = source.units(prepared).tolist()
    for word, (row, column) in where.items():
        first = caption.index(word)
        for place, start in enumerate(starts):
            stop = starts[place + 1] if place + 1 < len(starts) else len(caption)
            if start < first + len(word) and stop > first:
                weights[0, row * 8 + column, source.prefix.count + place] = 1.0
    task = SimpleNamespace(coordinates=GRID, source=source)
    return {each.word: each for each in pointed(task, weights, [prepared], [caption], [picture])}


@pytest.mark.parametrize("name", TOKENIZERS)
def test_words_that_are_read_where_their_things_are_hit(name):
    found = game(TOKENIZERS[name](), {"red": (4, 1), "circle": (2, 3), "blue": (4, 6), "square": (4, 2)})
    assert {word: (each.hit, each.middle, each.right) for word, each in found.items()} == {
        "red": (True, True, True), "circle": (True, False, False),
        "blue": (True, True, True), "square": (False, False, False),
    }  # fmt: skip
    # The red one's box is 2.24 places of 8 wide: it has the middles of 2 in either direction and touches 4.
    assert (found["red"].chance, found["red"].middle_chance) == (16 / 64, 4 / 64)


def test_a_thing_that_is_not_there_has_no_word_and_nothing_to_choose_between():
    alone = np.asarray(draw(Scene(THINGS[:1]), 64))
    found = game(words_of(), {"red": (0, 0), "circle": (4, 2)}, picture=alone)
    assert {word: (each.hit, each.right) for word, each in found.items()} == {
        "red": (False, None), "circle": (True, None),
    }  # fmt: skip


def test_figures_are_shares_by_kind():
    words = [
        Pointed("red", True, 0.1, True, 0.05, True), Pointed("circle", False, 0.1, False, 0.05, True),
        Pointed("small", True, 0.3, False, 0.25, None), Pointed("blue", False, 0.1, False, 0.05, False),
    ]  # fmt: skip
    assert figures(words) == pytest.approx({
        "grounding": 0.5, "grounding_colour": 0.5, "grounding_shape": 0.0, "grounding_right": 2 / 3,
        "grounding_chance": 0.15, "grounding_middle": 0.25, "grounding_middle_chance": 0.1, "grounding_words": 4,
        "grounding_middle_colour": 0.5, "grounding_middle_shape": 0.0,
    })  # fmt: skip
    assert figures([]) == {"grounding_words": 0}


@pytest.fixture(scope="module")
def task():
    few = [
        "backbone.dim=32",
        "backbone.depth=3",
        "backbone.layers=[grid,cross,self]",
        "data.train=64",
        "data.validation=2",
        "loader.batch_size=4",
    ]
    built = build(composed(["experiment=text_to_image", *few]))
    built.task.eval().evaluate(built.data.dataset("train").batch([(0, 0), (0, 1)]))
    return built.task


def test_maps_are_means_of_the_second_half_of_the_steps_in_layers_that_read(task):
    layers = reading_layers(task)
    assert layers == ["blocks.1.mixer"]
    prepared = [task.source.prepare(Sample("it", text)) for text in (CAPTION, "a red star")]
    with reading(task, 4) as mean:
        made = task.make(prepared, steps=4)
    with capture(task.backbone, layers) as maps:
        assert torch.equal(task.make(prepared, steps=4), made)
    torch.testing.assert_close(mean.value, maps.mean(layers, steps=slice(2, 4)))
    assert mean.value.shape == (4, 64, 9)  # a <bos> and eight words
    assert mean.count == 2
    assert bool((mean.value[2:] == 0).all())  # the half that reads nothing
    torch.testing.assert_close(mean.value[:2].sum(-1), torch.ones(2, 64))


def test_the_judge_tells_grounding_of_the_pictures_that_it_has_made(task, monkeypatch):
    drawn = {each.value["text"]: np.asarray(each.value["image"]) for each in Scenes().tests(6)}
    monkeypatch.setattr(
        task, "pictures", lambda prepared, **asked: (task.make(prepared, **asked_of(asked)), *drawn.values())[1:]
    )
    judge = SceneJudge(Scenes(), prompts=6, grounded=4, batch=6, steps=2)
    found = judge.figures(task, Scenes().tests(6))
    assert found["all"] == 1 and 0 <= found["grounding"] <= 1 and 0 < found["grounding_chance"] < 0.5
    assert {"grounding_colour", "grounding_shape", "grounding_right"} <= set(found)
    expected = sum(len(text.split()) for text in list(drawn)[:4] for text in [words_that_name(text)])
    assert found["grounding_words"] == expected
    assert not any(
        "grounding" in name
        for name in SceneJudge(Scenes(), prompts=6, grounded=0, steps=2).figures(task, Scenes().tests(6))
    )


def asked_of(asked):
    return {name: value for name, value in asked.items() if name != "count"}


def words_that_name(caption):
    return " ".join(word for word in caption.split() if word not in "a to the left right of above below".split())
