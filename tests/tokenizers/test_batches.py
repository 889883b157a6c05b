"""What every tokenizer inherits: padding, facts of a batch, prefix, and what it says of things it cannot do."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmattn import TokenInfo
from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizer import Tokenizer, pad, token_info
from mmattn.tokenizers.image import ImageTokenizer
from mmattn.tokenizers.text import ByteTokenizer
from tests.core.token_lists import SIDES

LENGTHS = st.lists(st.integers(1, 6), min_size=1, max_size=4)


@given(LENGTHS, SIDES, st.sampled_from([(), (2,)]))
def test_rows_are_padded_on_one_side(lengths, side, inner):
    rows = [torch.arange(1.0, count + 1).view(-1, *[1] * len(inner)).expand(-1, *inner) for count in lengths]
    out = pad(rows, side, -5)
    assert out.shape == (len(lengths), max(lengths), *inner)
    for row, values in zip(out, rows, strict=True):
        missing = max(lengths) - len(values)
        own, rest = (row[missing:], row[:missing]) if side == "left" else (row[: len(values)], row[len(values) :])
        assert torch.equal(own, values) and (rest == -5).all()


def test_padding_keeps_the_type_of_whole_numbers():
    assert pad([torch.tensor([1]), torch.tensor([2, 3])], "right", -1).dtype == torch.int64
    assert pad([torch.tensor([True]), torch.tensor([True, True])], "left").tolist() == [[False, True], [True, True]]


@given(LENGTHS, SIDES, st.integers(0, 2))
def test_facts_of_a_batch_are_those_of_its_lengths(lengths, side, modality):
    tokenizer = ByteTokenizer(4)
    batch = tokenizer.collate([tokenizer.prepare(Sample("x", "x" * count)) for count in lengths], side)
    assert (batch["length"], batch["tokens"]) == (max(lengths), sum(lengths))
    found, expected = (
        token_info(batch, modality=modality),
        TokenInfo.from_lengths(lengths, side=side, modality=modality),
    )
    for name in ("order", "coordinates", "document", "modality", "is_global"):
        assert torch.equal(getattr(found, name), getattr(expected, name)), name
    assert found.known_layout == expected.known_layout


@given(LENGTHS, SIDES, st.integers(0, 3))
def test_own_tokens_are_those_of_the_sample(lengths, side, prefix):
    tokenizer = ByteTokenizer(4, prefix=prefix)
    tokens = tokenizer(tokenizer.collate([tokenizer.prepare(Sample("x", "x" * count)) for count in lengths], side))
    assert tokenizer.own(tokens.info).sum(1).tolist() == lengths
    assert torch.equal(tokenizer.own(tokens.info), tokens.ids >= 0)
    assert tokens.info.real.sum(1).tolist() == [count + prefix for count in lengths]


def test_a_sample_may_just_fill_the_model():
    tokenizer = ByteTokenizer(4, max_length=5, prefix=2)
    tokenizer.check_length("x", tokenizer.prepare(Sample("x", "abc")))
    with pytest.raises(BadSample, match="x: makes 6 tokens, and the model takes 5"):
        tokenizer.check_length("x", tokenizer.prepare(Sample("x", "abcd")))
    ByteTokenizer(4).check_length("x", {"ids": torch.zeros(10_000)})


def test_what_a_tokenizer_does_not_offer_is_said():
    images = ImageTokenizer(4, patch=2, mean=0.5, std=0.5)
    with pytest.raises(ConfigError, match="ImageTokenizer cannot cut long samples: leave tokenizer.stride unset"):
        images.cut({}, 0, 1)
    with pytest.raises(ConfigError, match="ImageTokenizer does not say which part of a sample each token shows"):
        images.units({})
    bare = ByteTokenizer(4)
    assert bare.content({}) is None and bare.picture(torch.zeros(1, 1), {}) is None
    assert Tokenizer.describe(bare, {}, 3) == "token 3"


def test_a_report_shows_an_image_as_it_was():
    image = torch.randint(0, 256, (3, 5, 7), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    tokenizer = ImageTokenizer(4, patch=4, mean=[0.2, 0.4, 0.6], std=0.3)
    shown = tokenizer.show(tokenizer.prepare(Sample("x", image)))
    assert shown.shape == (5, 7, 3) and abs(shown.astype(int) - image.permute(1, 2, 0).numpy()).max() <= 1
    assert ByteTokenizer(4, bos=True).show({"ids": torch.tensor([256, 104, 105])}) == "hi"
