"""Prepared samples in memory: what is kept, what it costs, and what a worker is sent."""

from __future__ import annotations

import pickle
import sys

import numpy
import pytest
import torch

from mmattn.data.kept import OBJECT_BYTES, Kept


class Maker:
    """Counts how often each sample is prepared."""

    def __init__(self, value):
        self.value, self.made = value, []

    def __call__(self, index):
        self.made.append(index)
        return {"x": self.value(index)}


def tensor(index):
    return torch.full((3,), index)


def test_a_sample_is_prepared_once_where_there_is_room():
    make = Maker(tensor)
    kept = Kept(make, 1e6)
    assert [int(kept[index]["x"][0]) for index in (4, 2, 4, 2, 4)] == [4, 2, 4, 2, 4]
    assert make.made == [4, 2] and len(kept) == 2


def test_without_room_it_is_prepared_each_time():
    make = Maker(tensor)
    kept = Kept(make, 0)
    assert [int(kept[index]["x"][0]) for index in (1, 1, 2)] == [1, 1, 2] and make.made == [1, 1, 2]
    assert len(kept) == 0


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (lambda index: torch.full((100,), float(index)).double(), 800 + OBJECT_BYTES),
        (lambda index: torch.full((100,), float(index)).double()[:1], 800 + OBJECT_BYTES),  # a view holds all of it
        (lambda index: numpy.zeros(100), 800),
        (lambda index: "x" * 1000, 1000),
    ],
    ids=["tensor", "view", "array", "text"],
)
def test_the_first_ones_that_fit_are_kept(value, size):
    kept = Kept(Maker(value), 3.5 * (size + 80))
    for index in range(10):
        kept[index]
    assert len(kept) == 3
    assert Kept(Maker(value), size - 1).offer(0, {"x": value(0)}) is None


def test_what_the_sample_before_has_too_is_kept_once():
    def make(index):  # an image of 1,000 bytes for two captions
        return {"image": {"x": torch.full((1000,), index // 2, dtype=torch.uint8)}, "text": torch.tensor([index])}

    image, text = 1000 + OBJECT_BYTES, 8 + OBJECT_BYTES + sys.getsizeof({"x": 0})
    kept = Kept(make, 2 * image + 4 * text)
    found = [kept[index] for index in range(6)]
    assert len(kept) == 4 and [each["text"].item() for each in found] == list(range(6))
    assert [each["image"]["x"][0].item() for each in found] == [0, 0, 1, 1, 2, 2]
    images = [kept[index]["image"]["x"] for index in range(4)]
    assert images[0] is images[1] and images[1] is not images[2] and images[2] is images[3]


def test_other_types_and_shapes_are_no_shared_values():
    values = [torch.zeros(3), torch.zeros(3, dtype=torch.int64), torch.zeros(3, 1), {"y": torch.zeros(3)}]
    kept = Kept(lambda index: {"x": values[index]}, 1e6)
    assert all(kept[index]["x"] is values[index] for index in range(3)) and kept[3]["x"]["y"] is values[3]["y"]


def test_a_small_one_is_kept_after_a_large_one_was_not():
    kept = Kept(Maker(lambda index: torch.zeros(1000 if index == 0 else 1)), 2000)
    assert len(kept[0]["x"]) == 1000 and len(kept) == 0
    assert len(kept[1]["x"]) == 1 and len(kept) == 1


def test_a_worker_gets_the_room_and_not_the_samples():
    kept = Kept(Maker(tensor), 1.5 * OBJECT_BYTES)
    assert [len(kept) for index in (0, 1) if len(kept[index])] == [1, 1]
    sent = pickle.loads(pickle.dumps(kept))
    assert len(sent) == 0 and len(kept) == 1
    assert sent[5]["x"].tolist() == [5, 5, 5] and len(sent) == 1
