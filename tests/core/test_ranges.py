"""Arithmetic on ranges never says more than holds of every value in them."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmattn import ConfigError
from mmattn.patterns import divisible
from mmattn.patterns.ranges import MIXED, Range, Truth

NUMBERS = st.lists(st.integers(-20, 20), min_size=1, max_size=5)
COMPARISONS = [operator.le, operator.lt, operator.ge, operator.gt, operator.eq, operator.ne]
COMBINATIONS = [operator.and_, operator.or_, operator.xor, operator.eq, operator.ne]
CHANGES = [operator.add, operator.sub]


def a_range(values):
    """What a block that holds these values knows of them."""

    def remainder(divisor):
        rests = {value % divisor for value in values}
        return np.array([rests.pop() if len(rests) == 1 else MIXED])

    return Range(np.array([min(values)]), np.array([max(values)]), remainder)


def check_range(found, values):
    assert found.low[0] <= min(values) and found.high[0] >= max(values)
    for divisor in range(1, 8):
        assert found.remainder(divisor)[0] in {MIXED} | {value % divisor for value in values}
        if found.remainder(divisor)[0] != MIXED:
            assert len({value % divisor for value in values}) == 1
        check_truth(divisible(found, divisor), [value % divisor == 0 for value in values])


def check_truth(found, answers):
    assert bool(found.some[0]) >= any(answers) and bool(found.every[0]) <= all(answers)


def check_comparisons(one, many, other, others):
    for compare in COMPARISONS:
        check_truth(compare(one, other), [bool(compare(x, y)) for x in many for y in others])


@given(NUMBERS, NUMBERS, st.integers(-9, 9), st.integers(1, 7))
def test_sums_differences_quotients_and_comparisons_hold_for_every_value(one, other, number, divisor):
    left, right = a_range(one), a_range(other)
    check_comparisons(left, one, right, other)
    check_comparisons(left, one, number, [number])
    for change in CHANGES:
        both = [change(x, y) for x in one for y in other]
        check_range(change(left, right), both)
        check_comparisons(change(left, right), both, number, [number])
        check_range(change(left, number), [change(x, number) for x in one])
        check_range(change(number, left), [change(number, x) for x in one])
        check_range(change(left, right) // divisor, [value // divisor for value in both])
    check_range(-left, [-x for x in one])
    check_range(left // divisor, [x // divisor for x in one])
    check_range(left // divisor - right, [x // divisor - y for x in one for y in other])


@given(st.integers(-20, 20), st.integers(-20, 20), st.integers(1, 7))
def test_single_values_are_known_exactly(one, other, divisor):
    left, right = a_range([one]), a_range([other])
    for compare in COMPARISONS:
        found = compare(left, right)
        assert found.some[0] == found.every[0] == compare(one, other)
    found = divisible(left - right, divisor)
    assert found.some[0] == found.every[0] == ((one - other) % divisor == 0)


@given(st.integers(0, 6), st.integers(0, 6), st.integers(2, 7))
def test_strides_are_seen_through_a_difference(one, other, stride):
    """Blocks of every stride-th token: the distances between them all leave the same, and divisible knows it."""
    left, right = (a_range([start + stride * n for n in range(4)]) for start in (one, other))
    found = divisible(left - right, stride)
    assert found.some[0] == found.every[0] == ((one - other) % stride == 0)


TRUTHS = st.lists(st.booleans(), min_size=1, max_size=3)


def a_truth(values):
    return Truth(np.array([any(values)]), np.array([all(values)]))


@given(TRUTHS, TRUTHS, st.booleans())
def test_boolean_facts_combine_as_they_do_for_every_pair(one, other, constant):
    left, right = a_truth(one), a_truth(other)
    for combine in COMBINATIONS:
        check_truth(combine(left, right), [combine(x, y) for x in one for y in other])
        check_truth(combine(left, constant), [combine(x, constant) for x in one])
        check_truth(combine(constant, left), [combine(constant, x) for x in one])
    check_truth(~left, [not x for x in one])


BLOCK = a_range([1, 4])
REFUSED = {
    "if": lambda: 1 if BLOCK <= 2 else 0,
    "and": lambda: BLOCK <= 2 and BLOCK >= 1,
    "or": lambda: BLOCK <= 2 or BLOCK >= 1,
    "not": lambda: not BLOCK <= 2,
    "chained comparison": lambda: 1 <= BLOCK <= 2,
    "bool": lambda: bool(BLOCK),
    "max": lambda: max(BLOCK, 2),
    "*": lambda: BLOCK * 2,
    "2 *": lambda: 2 * BLOCK,
    "%": lambda: BLOCK % 2,
    "/": lambda: BLOCK / 2,
    "**": lambda: BLOCK**2,
    "// by facts": lambda: BLOCK // BLOCK,
    "// by 0": lambda: BLOCK // 0,
    "abs": lambda: abs(BLOCK),
    "int": lambda: int(BLOCK),
    "float": lambda: float(BLOCK),
    "index": lambda: BLOCK[0],
    "loop": lambda: list(BLOCK),
    "len": lambda: len(BLOCK),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_ranges_cannot_do_is_refused_with_the_remedy(name):
    with pytest.raises(ConfigError, match=r"divisible\(a, 3\) for a % 3 == 0"):
        REFUSED[name]()
