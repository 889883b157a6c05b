"""Lazy samples and guarded batches: sequences that read when they are asked, and errors that stay what they are."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmattn.data.loader import Guarded, Loader, as_it_is
from mmattn.data.source import Lazy, Sample
from mmattn.errors import BadSample, ConfigError


def lazy(size):
    reads = []
    return Lazy(size, lambda index: reads.append(index) or Sample(f"s{index}", index)), reads


@given(st.integers(0, 6), st.slices(6))
def test_a_slice_reads_what_a_list_would_hold(size, part):
    samples, reads = lazy(size)
    expected = list(range(size))[part]
    assert [sample.value for sample in samples[part]] == expected == reads


def test_it_is_a_sequence_that_reads_each_sample_when_it_is_asked_for():
    samples, reads = lazy(3)
    assert len(samples) == 3 and reads == []
    assert [sample.name for sample in samples] == ["s0", "s1", "s2"] and reads == [0, 1, 2]
    for outside in (3, -1):
        with pytest.raises(IndexError):
            samples[outside]


class Batches:
    """Numbers as batches, and errors in their places."""

    def __init__(self, *batches):
        self.batches = batches

    def __getitem__(self, index):
        batch = self.batches[index]
        if isinstance(batch, Exception):
            raise batch
        return {"x": torch.tensor(batch)}


def loaded(*batches):
    dataset = Guarded(Batches(*batches))
    return Loader(dataset, sampler=range(len(batches)), batch_size=None, collate_fn=as_it_is)


def test_batches_come_as_they_are():
    assert [batch["x"].tolist() for batch in loaded([1, 2], [3])] == [[1, 2], [3]]


@pytest.mark.parametrize("error", [BadSample("x", "is bad"), ConfigError("no"), FileNotFoundError("gone")])
def test_an_error_is_raised_when_its_batch_is_asked_for(error):
    batches = iter(loaded([1], error, [3]))
    assert next(batches)["x"].tolist() == [1]
    with pytest.raises(type(error)) as caught:
        next(batches)
    assert caught.value is error


def test_a_fault_of_the_code_is_not_guarded():
    with pytest.raises(ZeroDivisionError):
        Guarded(Batches(ZeroDivisionError()))[0]
