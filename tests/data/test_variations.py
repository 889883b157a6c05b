"""The training split from epoch to epoch: what is seen how often, and what stays the same."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmattn.data.dataset import PreparedDataset
from mmattn.data.source import Sample
from mmattn.data.variations import Variations, moved_spans
from mmattn.errors import ConfigError
from mmattn.tokenizers.characters import CharacterTokenizer
from mmattn.tokenizers.text import ByteTokenizer

TEXT = "".join(map(chr, range(0x100, 0x100 + 53)))  # 53 different characters


def characters(prefix=0):
    tokenizer = CharacterTokenizer(8, max_length=9 + prefix, stride=8, prefix=prefix)
    tokenizer.fit([Sample("x", TEXT)])
    return tokenizer


@settings(deadline=None, max_examples=300)
@given(width=st.integers(1, 40), more=st.integers(1, 200), seed=st.integers(0, 9), data=st.data())
def test_moved_pieces_leave_nothing_out_and_are_as_many_each_time(width, more, seed, data):
    stride = data.draw(st.integers(1, width))
    count = width + more
    bounds = moved_spans(count, width, stride, random.Random(seed))
    starts, stops = zip(*bounds, strict=True)
    assert starts[0] == 0 and stops[-1] == count and list(starts) == sorted(set(starts))
    assert all(0 < stop - start <= width for start, stop in bounds)
    overlap = width - stride
    assert all(stop - start == overlap for start, stop in zip(starts[1:], stops[:-1], strict=True))
    assert len(bounds) == len(moved_spans(count, width, stride, random.Random(seed + 1)))


@pytest.mark.parametrize("prefix", [0, 1])
def test_over_epochs_tokens_are_targets_equally_often_and_the_first_begins_every_epoch(prefix):
    found = Variations(PreparedDataset([Sample("long", TEXT), Sample("short", TEXT[:5])], characters(prefix)))
    targets, first_lengths = Counter(), set()
    for epoch in range(200):
        places = [index for index, item in enumerate(found.items(epoch)) if item.sample == 0]
        rows = [found.batch([(epoch, index)])["ids"][0].tolist() for index in places]
        assert rows[0][0] == found.tokenizer.ids[TEXT[0]]
        first_lengths.add(len(rows[0]))
        targets.update(token for row in rows for token in row[1:])
    assert set(targets.values()) == {200} and len(targets) == len(TEXT) - 1
    assert len(first_lengths) >= 4  # half a stride's choices


def test_items_have_the_lengths_that_are_told_and_depend_on_seed_and_epoch_alone():
    plain = PreparedDataset([Sample("long", TEXT)], characters())
    found, again, other = Variations(plain, seed=3), Variations(plain, seed=3), Variations(plain, seed=4)
    for epoch in (0, 1, 0):
        batches = [found.batch([(epoch, i)]) for i in range(len(found))]
        assert [int(batch["lengths"]) for batch in batches] == found.lengths(epoch)
        assert found.items(epoch) == again.items(epoch)
    assert len({tuple(found.items(epoch)) for epoch in range(20)}) >= 4
    assert any(found.items(epoch) != other.items(epoch) for epoch in range(5))
    assert plain.batch([(0, 0)])["ids"].tolist() == plain.batch([(5, 0)])["ids"].tolist()


class Noisy(ByteTokenizer):
    """Each sample in small or in capital letters."""

    def augment(self, sample, generator):
        return replace(sample, value=sample.value.upper()) if torch.rand((), generator=generator) < 0.5 else sample


class Shortened(ByteTokenizer):
    def augment(self, sample, generator):
        return replace(sample, value=sample.value[:4])


def test_augmentation_is_in_the_variations_and_not_in_the_dataset():
    plain = PreparedDataset([Sample("x", "abc")], Noisy(8))
    found = Variations(plain)
    seen = {found.tokenizer.restore(found.batch([(epoch, 0)])["ids"][0]) for epoch in range(20)}
    assert seen == {"abc", "ABC"}
    assert {plain.tokenizer.restore(plain.batch([(epoch, 0)])["ids"][0]) for epoch in range(20)} == {"abc"}


def test_an_augmentation_that_shortens_a_cut_sample_is_named():
    found = Variations(PreparedDataset([Sample("x", "abcdefgh")], Shortened(8, max_length=4, stride=4)))
    with pytest.raises(ConfigError, match="augmentation left 4 tokens, and a piece of it ends at 7"):
        [found.batch([(0, index)]) for index in range(len(found))]


def test_whether_a_tokenizer_varies_samples():
    assert Shortened(8).varies and not ByteTokenizer(8).varies
