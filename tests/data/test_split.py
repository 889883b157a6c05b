"""Cutting: a partition, in proportion, the same every time."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmattn.data.source import Lazy, Sample
from mmattn.data.split import cut, split_sizes, three_way
from mmattn.errors import ConfigError


def samples_of(labels):
    return [Sample(f"sample {i}", i, label) for i, label in enumerate(labels)]


labels_of_some_classes = st.lists(st.integers(2, 30), min_size=1, max_size=6).flatmap(
    lambda sizes: st.permutations([label for label, size in enumerate(sizes) for _ in range(size)])
)


@settings(deadline=None, max_examples=60)
@given(labels=labels_of_some_classes, fraction=st.floats(0.01, 0.99), seed=st.integers(0, 2**40))
def test_a_cut_is_a_stratified_partition_and_repeats(labels, fraction, seed):
    rest, part = cut(samples_of(labels), fraction, seed)
    assert sorted(rest + part) == list(range(len(labels)))
    assert rest == sorted(rest) and part == sorted(part)
    assert (rest, part) == cut(samples_of(labels), fraction, seed)
    sizes, taken = Counter(labels), Counter(labels[i] for i in part)
    for label, size in sizes.items():
        assert 1 <= taken[label] < size
        assert abs(taken[label] - fraction * size) <= 1


def test_the_seed_matters():
    labels = [0, 1] * 50
    assert cut(samples_of(labels), 0.2, seed=0) != cut(samples_of(labels), 0.2, seed=1)


@pytest.mark.parametrize("label", [None, [0, 1], [0]])
def test_labels_that_are_no_class_are_cut_as_a_whole(label):
    rest, part = cut(samples_of([label] * 10), 0.3)
    assert (len(rest), len(part)) == (7, 3)


def test_lazy_samples_are_not_read():
    def fail(index):
        raise AssertionError("a split must not decode files")

    rest, part = cut(Lazy(20, fail, [0, 1] * 10), 0.5)
    assert len(rest) == len(part) == 10
    assert len(cut(Lazy(20, fail), 0.25)[1]) == 5


def test_a_class_of_one_sample_is_named():
    with pytest.raises(ConfigError, match=r"Class 'zebra' has only one sample.*add samples"):
        cut(samples_of([0, 0, 0, 1]), 0.5, classes=["horse", "zebra"])


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 1.5])
def test_a_fraction_outside_0_to_1_is_named(fraction):
    with pytest.raises(ConfigError, match=f"between 0 and 1, not {fraction}"):
        cut(samples_of([0] * 4), fraction)


def test_nothing_to_split():
    with pytest.raises(ConfigError, match="no samples to split: give the source some data"):
        cut([], 0.5)


def test_three_way_is_a_partition():
    labels = [i % 4 for i in range(200)]
    parts = three_way(labels, 0.1, 0.2, seed=3)
    assert sorted(i for part in parts.values() for i in part) == list(range(200))
    assert {name: len(part) for name, part in parts.items()} == {"train": 140, "validation": 20, "test": 40}


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 5), st.integers(10, 40), st.floats(0.15, 0.4), st.floats(0.15, 0.4), st.integers(0, 9))
def test_each_class_is_in_all_three_parts_in_proportion(classes, size, validation, test, seed):
    labels = [i % classes for i in range(classes * size)]
    parts = three_way(labels, validation, test, seed)
    assert sorted(i for part in parts.values() for i in part) == list(range(len(labels)))
    assert parts == three_way(labels, validation, test, seed)
    for name, share in (("validation", validation), ("test", test), ("train", 1 - validation - test)):
        counts = Counter(labels[i] for i in parts[name])
        assert all(abs(counts[label] - share * size) <= 1.5 for label in range(classes)), name


@pytest.mark.parametrize("fractions", [(0.0, 0.2), (0.2, 0.0), (-0.1, 0.2), (0.5, 0.5), (0.7, 0.4)])
def test_fractions_that_leave_a_part_empty_are_named(fractions):
    with pytest.raises(ConfigError, match=f"data.validation={fractions[0]} and data.test={fractions[1]} must both be"):
        three_way([0, 1] * 20, *fractions, seed=0)


def test_sizes_of_made_data():
    assert split_sizes(1, 0, 5) == {"train": 1, "validation": 0, "test": 5}
    for sizes, message in (
        ((0, 1, 1), "data.train=0 must be at least 1"),
        ((1, 1, -2), "data.test=-2 must be at least 0"),
    ):
        with pytest.raises(ConfigError, match=message):
            split_sizes(*sizes)
