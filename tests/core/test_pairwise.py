"""All pairs of values, in few cases."""

from __future__ import annotations

from itertools import combinations, product
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.pairwise import pairwise

SIZES = st.lists(st.integers(1, 5), min_size=2, max_size=5)


@given(SIZES)
def test_any_two_values_of_any_two_parameters_meet(sizes):
    parameters = {f"p{number}": range(size) for number, size in enumerate(sizes)}
    cases = pairwise(**parameters)
    assert len(cases) <= prod(sizes) and all(list(case) == list(parameters) for case in cases)
    for one, other in combinations(parameters, 2):
        assert {(case[one], case[other]) for case in cases} == set(product(parameters[one], parameters[other]))


def test_they_are_far_fewer_than_all():
    cases = pairwise(**{f"p{number}": range(4) for number in range(6)})
    assert 16 <= len(cases) <= 32  # of 4096


def test_values_may_be_anything():
    assert pairwise(a=[[1], None], b=[{}]) == [{"a": [1], "b": {}}, {"a": None, "b": {}}]


@pytest.mark.parametrize("parameters", [{}, {"a": []}, {"a": [], "b": [1]}])
def test_without_pairs_there_are_no_cases(parameters):
    assert pairwise(**parameters) == []
