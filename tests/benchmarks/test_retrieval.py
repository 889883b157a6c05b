"""`mmattn bench retrieval`: pictures lead back to their texts where they show them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mmattn.benchmarks.retrieval import retrieval
from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from tests.tasks.pairs import contrastive, learn, picture, values, whole_batch

ASKED = {"guidance": 3.0, "steps": 2, "seed": 7}
PAIRS = [Sample(str(place), each) for place, each in enumerate(values())]


@pytest.fixture(scope="module")
def towers():
    task = contrastive()
    learn(task, whole_batch(task), 200)
    return task


class Painter:
    """Draws what it is told, or always one picture."""

    def __init__(self, source, always=None):
        self.source, self.always, self.seeds = source, always, []
        self.context, self.tokenizer = "text", SimpleNamespace(target="image")

    def pictures(self, prepared, *, count, guidance, steps, seed):
        assert (guidance, steps, count) == (3.0, 2, len(prepared))
        self.seeds.append(seed)
        texts = [self.source.restore(each["ids"]) for each in prepared]
        return [np.asarray(self.always or picture(*text.split(" over "))) for text in texts]


def test_pictures_that_show_their_texts_lead_back_to_them(towers):
    found = retrieval(Painter(towers.source), towers, PAIRS, 16, ASKED)
    assert (found.pictures, found.texts) == (16, 16)
    assert found.made == found.real == {"recall@1": 1.0, "recall@5": 1.0}
    same = retrieval(Painter(towers.source, picture("red", "blue")), towers, PAIRS, 16, ASKED)
    assert same.made == {"recall@1": 1 / 16, "recall@5": 5 / 16} and same.real == found.real
    assert same.lines()[0] == "16 pictures among 16 texts; at random recall@1 6.2%, recall@5 31.2%"


def test_texts_are_taken_once_and_from_everywhere(towers, monkeypatch):
    monkeypatch.setattr("mmattn.benchmarks.retrieval.AT_ONCE", 2)
    painter = Painter(towers.source)
    found = retrieval(painter, towers, PAIRS + PAIRS, 3, ASKED)
    assert (found.pictures, found.texts) == (3, 16) and found.made["recall@1"] == 1
    assert painter.seeds == [7, 9]  # as `pictures` counts on from the seed
    with pytest.raises(ConfigError, match="the text 'read over red': training never showed 'read'"):
        retrieval(painter, towers, [Sample("it", {**PAIRS[0].value, "text": "read over red"})], 1, ASKED)
    with pytest.raises(ConfigError, match="it: what pictures are made of here is no text, but <class 'int'>"):
        retrieval(painter, towers, [Sample("it", {**PAIRS[0].value, "text": 3})], 1, ASKED)
