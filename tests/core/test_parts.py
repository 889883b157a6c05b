"""Parts of a pattern share no pair and lose none, and each is sorted by what makes it dense."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given, settings

from mmattn import Causal, Full, GlobalTokens, SlidingWindow, Visibility
from mmattn.patterns import Chunk, Facts, Strided
from mmattn.patterns.parts import MOST, Part, parts
from tests.core.examples import LONG, rich
from tests.core.random_tokens import TREES, sides
from tests.core.rules import PATTERNS


def split(pattern, queries):
    return parts(pattern, Facts(queries, lambda fact: fact))


def check(pattern, queries, keys):
    whole = Visibility(pattern, queries, keys).mask.int()
    masks = [Visibility(part.pattern, queries, keys).mask.int() for part in split(pattern, queries)]
    assert (sum(masks) == whole).all()


@pytest.mark.parametrize("layout", LONG)
@pytest.mark.parametrize("name", PATTERNS)
def test_parts_are_disjoint_and_add_up(name, layout):
    info = rich(LONG[layout])
    check(PATTERNS[name], info, info)


@settings(max_examples=150)
@given(TREES, sides())
def test_parts_of_any_pattern_are_disjoint_and_add_up(pattern, facts_of_both):
    check(pattern, *facts_of_both)


NEAR, STRIDE, GLOBAL = SlidingWindow(3), Strided(4), GlobalTokens()
DILATED = SlidingWindow(2, 2, 3)


@pytest.mark.parametrize(
    ("pattern", "sorters"),
    [
        (Causal(), [None]),
        (STRIDE, [STRIDE]),
        (DILATED, [DILATED]),
        (Causal() & STRIDE, [STRIDE]),
        (NEAR | STRIDE, [None, STRIDE]),
        (STRIDE | NEAR, [None, STRIDE]),  # the tokens' own order first
        (Causal() & (NEAR | STRIDE), [None, STRIDE]),
        (NEAR | Chunk(4), [None]),
        (NEAR | STRIDE | GLOBAL, [None, STRIDE, GLOBAL]),
        (STRIDE & NEAR | STRIDE & Causal(), [STRIDE]),
        (~STRIDE, [None]),  # what a stride leaves is dense in no order
    ],
    ids=str,
)
def test_each_part_names_its_order(pattern, sorters):
    assert [part.sorter for part in split(pattern, rich([[0] * 6]))] == sorters


def test_a_pattern_of_too_many_terms_is_left_whole():
    def union(terms):
        return reduce(lambda one, other: one | other, [NEAR, *[Strided(n) for n in range(2, terms + 1)]])

    info = rich([[0] * 6])
    assert len(split(union(MOST), info)) == MOST
    assert split(union(MOST + 1), info) == [Part(union(MOST + 1), None)]
    product = Full() & (NEAR | STRIDE) & (NEAR | GLOBAL) & (Causal() | DILATED) & (NEAR | Causal())
    assert split(product, info) == [Part(product, None)]
