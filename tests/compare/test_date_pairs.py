"""Dates are drawn in rows of like length, each as often as any other."""

from __future__ import annotations

from collections import Counter

import pytest
from torch import Generator

from mmattn.why.date_pairs import DatePairs

pytest.importorskip("babel")
ROWS = 8


@pytest.fixture(scope="module")
def dates():
    return DatePairs(400, [12, 40])


def test_little_of_what_is_drawn_is_padding(dates):
    generator = Generator().manual_seed(0)
    lengths = [[len(text) for text, _ in dates.draw(generator, ROWS)] for _ in range(400)]
    assert all(len(row) == ROWS for row in lengths)
    filled = sum(map(sum, lengths)) / sum(ROWS * max(row) for row in lengths)
    assert filled > 0.9  # 0.65 where lengths are mixed


def test_every_date_is_drawn_as_often_as_any_other(dates):
    generator, batches = Generator().manual_seed(0), 8000
    drawn = Counter(pair for _ in range(batches) for pair in dates.draw(generator, ROWS))
    assert set(drawn) == set(dates.train)
    by_length = sorted(dates.train, key=lambda pair: len(pair[0]))
    for part in (by_length[:25], by_length[-25:], by_length[150:250]):  # the shortest, the longest, those between
        share = sum(drawn[pair] for pair in part) / (batches * ROWS)
        assert share == pytest.approx(len(part) / 400, rel=0.12)


def test_a_generator_draws_the_same_again(dates):
    first, again = (dates.draw(Generator().manual_seed(3), ROWS) for _ in range(2))
    assert first == again != dates.draw(Generator().manual_seed(4), ROWS)
