"""Dates are drawn in rows of like length, each as often as any other."""

from __future__ import annotations

from collections import Counter
from statistics import mean

import pytest
from torch import Generator

pytest.importorskip("babel")
from mmattn.why.date_pairs import DatePairs

ROWS = 8


@pytest.fixture(scope="module")
def dates():
    return DatePairs(400, [12, 40])


def test_little_of_what_is_drawn_is_padding(dates):
    generator = Generator().manual_seed(0)
    lengths = [[len(text) for text, _ in dates.draw(generator, ROWS)] for _ in range(200)]
    assert all(len(row) == ROWS for row in lengths)
    assert mean(max(row) - mean(row) for row in lengths) < 2


def test_every_date_is_drawn_as_often_as_any_other(dates):
    generator, batches = Generator().manual_seed(0), 2000
    drawn = Counter(pair for _ in range(batches) for pair in dates.draw(generator, ROWS))
    there = Counter(dates.train)
    assert set(drawn) == set(there)
    by_length = sorted(dates.train, key=lambda pair: len(pair[0]))
    for part in (by_length[:50], by_length[-50:], by_length[175:225]):  # the shortest, the longest, those between
        share = sum(drawn[pair] / there[pair] for pair in part) / (batches * ROWS)
        assert share == pytest.approx(50 / 400, rel=0.15)


def test_a_generator_draws_the_same_again(dates):
    first, again = (dates.draw(Generator().manual_seed(3), ROWS) for _ in range(2))
    assert first == again != dates.draw(Generator().manual_seed(4), ROWS)
