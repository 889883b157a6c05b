"""Whether two values are the same, whatever they are made of: what the contracts compare by."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mmattn.contracts.sameness import in_double, same


@dataclass
class Holder:
    inside: Any


class Plain:
    def __init__(self, x):
        self.x = x


MAKERS = [
    lambda x: x,
    lambda x: str(x),
    lambda x: torch.tensor([1.0, x]),
    lambda x: np.array([1.0, x]),
    lambda x: Image.new("L", (2, 2), x),
    lambda x: Holder(torch.tensor(x)),
    lambda x: {"a": [torch.tensor(x)]},
    lambda x: (1, np.float32(x)),
    lambda x: Plain(x),
]


@pytest.mark.parametrize("make", MAKERS)
def test_equal_values_made_twice_are_the_same_and_others_are_not(make):
    assert same(make(1), make(1)) and not same(make(1), make(2))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (torch.ones(2), torch.ones(2, dtype=torch.float64)),
        (torch.ones(2), torch.ones(2, 1)),
        (np.ones(2, "float32"), np.ones(2)),
        ([1, 2], (1, 2)),
        ([1, 2], [1, 2, 3]),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, {"a": 1, "b": 1}),
        (Image.new("L", (2, 3)), Image.new("L", (3, 2))),
        (Image.new("L", (2, 2)), Image.new("1", (2, 2))),
        (torch.ones(1), np.ones(1)),
        (None, False),
    ],
)
def test_type_shape_and_keys_count(one, other):
    assert not same(one, other) and not same(other, one)


def test_values_that_are_not_numbers_are_themselves():
    nan = float("nan")
    assert same(torch.tensor([nan, 1]), torch.tensor([nan, 1])) and same(np.array([nan]), np.array([nan]))
    assert not same(torch.tensor([nan, 1]), torch.tensor([1, nan]))
    assert not same(torch.tensor([nan]), torch.tensor([0.0]))
    assert not same(torch.tensor([float("inf")]), torch.tensor([torch.finfo().max]))
    assert same(torch.tensor([True, False]), torch.tensor([True, False])) and same(torch.empty(0), torch.empty(0))


def test_floats_become_double_wherever_they_stand_and_nothing_else_does():
    Pair = namedtuple("Pair", "x y")
    pair = Pair(torch.ones(1), 2)
    batch = {
        "x": torch.ones(1),
        "ids": torch.ones(1, dtype=torch.long),
        "parts": ([torch.ones(1).half()], "name"),
        "pair": pair,
    }
    out = in_double(batch)
    assert out["x"].dtype == out["parts"][0][0].dtype == torch.float64
    assert out["ids"].dtype == torch.long and out["parts"][1] == "name" and out["pair"] is pair
    assert batch["x"].dtype == torch.float32
