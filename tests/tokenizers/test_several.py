"""Samples of several kinds of data."""

from __future__ import annotations

import pytest
import torch

from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizers.several import SeveralTokenizer
from mmattn.tokenizers.text import ByteTokenizer
from mmattn.tokenizers.words import WordTokenizer
from tests.tokenizers.examples import build, samples_for


def fitted(**arguments):
    tokenizer = build("several", **arguments)
    tokenizer.fit(samples_for("several"))
    return tokenizer


def test_a_batch_holds_a_batch_of_each_part_and_the_whole_joins_their_tokens():
    tokenizer = fitted()
    prepared = [tokenizer.prepare(each) for each in samples_for("several")]
    batch = tokenizer.collate(prepared)
    whole = tokenizer(batch)
    for row in range(len(prepared)):
        own = whole.info.document[row] == row
        parts = [tokenizer.part(name)(batch[name]) for name in ("image", "text")]
        lengths = [int((part.info.document[row] == row).sum()) for part in parts]
        assert whole.info.modality[row][own].tolist() == [0] * lengths[0] + [1] * lengths[1]
        expected = torch.cat([part.embeddings[row][part.info.document[row] == row] for part in parts])
        assert torch.equal(whole.embeddings[row][own], expected)


def test_further_values_are_read_by_the_part_that_is_named():
    tokenizer = fitted(also={"wrong": "text"})
    sample = samples_for("several")[1]
    both = Sample(sample.name, {**sample.value, "wrong": "a red blue"})
    batch = tokenizer.collate([tokenizer.prepare(both)])
    assert tokenizer.part("text").restore(batch["wrong"]["ids"][0]) == "a red blue"
    with pytest.raises(BadSample, match="has no 'wrong'"):
        tokenizer.prepare(sample)


def test_its_state_is_that_of_its_parts():
    tokenizer, other = fitted(), build("several")
    other.restore_state(tokenizer.state())
    sample = samples_for("several")[2]
    one, two = (each.prepare(sample) for each in (tokenizer, other))
    assert torch.equal(one["text"]["ids"], two["text"]["ids"])
    assert other.part("image").state() == tokenizer.part("image").state()


def test_the_part_that_is_modelled():
    assert isinstance(fitted(target="text").modelled, WordTokenizer)
    with pytest.raises(ConfigError, match="set tokenizer.target to one of image, text"):
        _ = fitted().modelled
    with pytest.raises(ConfigError, match="has no 'txet'.*Did you mean 'text'"):
        SeveralTokenizer(16, dict(fitted().parts), target="txet")
    with pytest.raises(ConfigError, match="has no 'sound'"):
        fitted().part("sound")


def test_what_does_not_fit_together_is_named():
    with pytest.raises(ConfigError, match="parts.text.dim=8 must be tokenizer.dim=16"):
        SeveralTokenizer(16, {"text": ByteTokenizer(8)})
    with pytest.raises(ConfigError, match="cannot be cut"):
        SeveralTokenizer(16, {"text": ByteTokenizer(16, max_length=8, stride=4)})
    with pytest.raises(BadSample, match="has no 'image', which tokenizer.parts reads; it has str"):
        fitted().prepare(Sample("a", "text alone"))


def test_tokens_are_described_part_by_part():
    tokenizer = fitted()
    prepared = tokenizer.prepare(samples_for("several")[1])
    images = tokenizer.part("image").length(prepared["image"])
    assert tokenizer.describe(prepared, 0).startswith("image: rows 0")
    assert tokenizer.describe(prepared, images + 1) == "text: blue"


def test_a_part_that_a_config_builds_on_can_be_left_out():
    tokenizer = SeveralTokenizer(16, {"text": ByteTokenizer(16), "image": None}, target="text")
    assert list(tokenizer.parts) == ["text"]
    with pytest.raises(ConfigError, match="tokenizer.parts has no 'image'; it has text"):
        SeveralTokenizer(16, {"text": ByteTokenizer(16), "image": None}, target="image")
