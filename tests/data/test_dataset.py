"""Samples of one split: whole or in pieces, labelled, named, and bad ones skipped or raised."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmattn.data.dataset import PreparedDataset, pieces, spans
from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizers.text import ByteTokenizer

TEXTS = st.text("abcdefgh", min_size=1, max_size=40)


@st.composite
def cutters(draw):
    """Tokenizers that cut, of any width and stride."""
    prefix, width = draw(st.integers(0, 2)), draw(st.integers(1, 9))
    return ByteTokenizer(4, max_length=width + prefix, stride=draw(st.integers(1, width)), prefix=prefix)


@given(cutters(), TEXTS)
def test_pieces_cover_a_sample_and_overlap_as_said(tokenizer, text):
    width = tokenizer.max_length - tokenizer.prefix.count
    found = list(spans(tokenizer, "x", tokenizer.prepare(Sample("x", text))))
    assert found[0][0] == 0 and found[-1][1] == len(text)
    assert all(0 < stop - start <= width for start, stop in found)
    assert all(stop - start == width for start, stop in found[:-1])
    assert all(later[0] - earlier[0] == tokenizer.stride for earlier, later in zip(found, found[1:], strict=False))
    assert all(later[0] <= earlier[1] for earlier, later in zip(found, found[1:], strict=False))
    assert len(found) == 1 or found[-2][1] < len(text)  # no piece holds nothing new


@given(cutters(), TEXTS)
def test_a_new_sample_is_cut_into_all_of_its_tokens(tokenizer, text):
    first, *parts = pieces(tokenizer, "x", tokenizer.prepare(Sample("x", text)))
    new = [first["ids"], *(part["ids"][tokenizer.overlap :] for part in parts)]
    assert "".join(map(tokenizer.restore, new)) == text
    parts = [first, *parts]
    assert all(tokenizer.length(part) <= tokenizer.max_length for part in parts)


@given(cutters(), st.lists(TEXTS, min_size=1, max_size=4))
def test_items_say_what_their_batches_hold(tokenizer, texts):
    found = PreparedDataset([Sample(str(number), text) for number, text in enumerate(texts)], tokenizer)
    for index, item in enumerate(found.items):
        batch = found.batch([(0, index)])
        assert tokenizer(batch).embeddings.shape[1] == item.length == found.lengths[index]
        assert bytes(batch["ids"][0].tolist()).decode() == texts[item.sample][item.start : item.stop]
        assert batch["names"] == [str(item.sample)] and batch["samples"].tolist() == [item.sample]


def test_a_batch_is_the_same_in_every_epoch_and_has_no_labels_without_a_task():
    found = PreparedDataset([Sample("a", "abc", 1), Sample("b", "d", 0)], ByteTokenizer(4))
    one, other = found[[(0, 1), (0, 0)]], found[[(7, 1), (7, 0)]]
    assert torch.equal(one["ids"], other["ids"]) and one["names"] == ["b", "a"] and "labels" not in one


BAD = [Sample("a", "abc"), Sample("b", ""), Sample("c", 3), Sample("d", "xyz")]


def test_bad_samples_are_left_out_and_listed():
    found = PreparedDataset(BAD, ByteTokenizer(4), on_bad_sample="skip")
    assert list(found.names.values()) == ["a", "d"] and len(found) == 2
    assert [fault.split(":")[0] for fault in found.skipped] == ["b", "c"]
    assert found.batch([(0, 1)])["names"] == ["d"] and found.batch([(0, 1)])["samples"].tolist() == [3]
    good = PreparedDataset([BAD[0], BAD[3]], ByteTokenizer(4))
    assert found.digest == good.digest


def test_or_the_first_of_them_is_raised():
    with pytest.raises(BadSample, match="^b: is empty"):
        PreparedDataset(BAD, ByteTokenizer(4))
    with pytest.raises(ConfigError, match="loader.on_bad_sample=drop must be 'raise' or 'skip'"):
        PreparedDataset(BAD, ByteTokenizer(4), on_bad_sample="drop")
    with pytest.raises(BadSample, match="long: makes 5 tokens, and the model takes 4"):
        PreparedDataset([Sample("long", "abcd")], ByteTokenizer(4, max_length=4, prefix=1))


def test_without_samples_it_is_empty():
    found = PreparedDataset([], ByteTokenizer(4))
    assert len(found) == 0 and found.lengths == [] and found.digest == ""
