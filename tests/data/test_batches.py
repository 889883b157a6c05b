"""Which samples share a batch: each once an epoch, like lengths together, the same for the same seed and epoch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmattn.data.batches import InOrder, Shuffled

LENGTHS = st.lists(st.integers(1, 50), max_size=60)
SIZES = st.integers(1, 9)


def shuffled(lengths, size, epoch=0, **arguments):
    return Shuffled(lambda _: lengths, size, epoch=lambda: epoch, **arguments)


def each(batches):
    return [place for batch in batches for place in batch]


@given(LENGTHS, SIZES)
def test_evaluation_sees_each_sample_once_the_longest_first(lengths, size):
    sampler = InOrder(lengths, size)
    batches = list(sampler)
    assert len(batches) == len(sampler) and all(len(batch) == size for batch in batches[:-1])
    assert sorted(each(batches)) == [(0, index) for index in range(len(lengths))]
    seen = [lengths[index] for _, index in each(batches)]
    assert seen == sorted(lengths, reverse=True) and batches == list(sampler)


def test_samples_of_one_length_keep_their_order():
    assert each(InOrder([3, 5, 3, 5, 3], 2)) == [(0, 1), (0, 3), (0, 0), (0, 2), (0, 4)]


@given(LENGTHS, SIZES, st.integers(0, 3), st.integers(0, 3), st.integers(1, 4))
def test_training_sees_each_sample_once_an_epoch(lengths, size, seed, epoch, pool):
    sampler = shuffled(lengths, size, epoch, seed=seed, pool=pool)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert sorted(each(batches)) == [(epoch, index) for index in range(len(lengths))]
    assert sorted(map(len, batches))[1:] == [size] * (len(batches) - 1)  # at most one is smaller
    assert batches == list(shuffled(lengths, size, epoch, seed=seed, pool=pool))


def test_another_epoch_or_seed_is_another_order():
    orders = [list(shuffled([1] * 40, 4, epoch, seed=seed)) for epoch, seed in ((0, 0), (1, 0), (0, 1))]
    indices = [[[index for _, index in batch] for batch in order] for order in orders]
    assert indices[0] != indices[1] != indices[2] != indices[0]


def waste(batches, lengths):
    """Places of padding."""
    rows = [[lengths[index] for _, index in batch] for batch in batches]
    return sum(max(row) * len(row) - sum(row) for row in rows)


def test_a_larger_pool_pads_less_and_none_begins_with_the_shortest_each_time():
    lengths = [1 + 37 * i % 100 for i in range(200)]
    wasted = [waste(shuffled(lengths, 5, pool=pool), lengths) for pool in (1, 4, 40)]
    assert wasted[2] < wasted[1] < wasted[0] and wasted[2] < 0.1 * wasted[0]
    firsts = {min(lengths[i] for _, i in next(iter(shuffled(lengths, 5, epoch, pool=40)))) for epoch in range(10)}
    assert len(firsts) > 5


def test_lengths_are_those_of_the_epoch_that_begins():
    asked, now = [], iter([4, 7])
    sampler = Shuffled(lambda epoch: asked.append(epoch) or [1, 2], 1, epoch=lambda: next(now))
    assert {epoch for epoch, _ in each(sampler)} == {4} and {epoch for epoch, _ in each(sampler)} == {7}
    assert asked == [0, 4, 7]


@pytest.mark.parametrize("sampler", [InOrder([], 4), shuffled([], 4)], ids=["in order", "shuffled"])
def test_without_samples_there_is_no_batch(sampler):
    assert len(sampler) == 0 and list(sampler) == []
