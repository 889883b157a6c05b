"""Samples of several kinds of data."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.v2 import RandomHorizontalFlip

from mmattn.contracts.sameness import same
from mmattn.data.dataset import PreparedDataset
from mmattn.data.kept import Kept
from mmattn.data.source import Sample
from mmattn.data.variations import Variations
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizers.image import ImageTokenizer
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


class Counted(list):
    """Samples that count how often they are read."""

    read = 0

    def __getitem__(self, index):
        self.read += 1
        return super().__getitem__(index)


def test_samples_that_nothing_varies_are_read_once():
    samples, tokenizer = Counted(samples_for("several")), fitted()
    assert not tokenizer.varies
    dataset = PreparedDataset(samples, tokenizer)
    first, epochs = samples.read, Variations(dataset)
    one, other = epochs.batch([(0, 0), (0, 1)]), epochs.batch([(1, 0), (1, 1)])
    assert samples.read == first and torch.equal(one["text"]["ids"], other["text"]["ids"])
    tokenizer.part("image").transforms = [lambda image: image]
    assert tokenizer.varies
    Variations(dataset).batch([(0, 0)])
    assert samples.read == first + 1


def test_what_a_sample_of_several_kinds_takes_is_counted():
    tokenizer = fitted()
    prepared = tokenizer.prepare(samples_for("several")[0])
    least = sum(value.nbytes for part in prepared.values() for value in part.values() if torch.is_tensor(value))
    kept = Kept(lambda index: prepared, least - 1)
    kept[0]
    assert len(kept) == 0


def test_a_part_of_several_kinds_reads_the_same_samples():
    samples = samples_for("several")
    inner, whole = build("several"), fitted()
    tokenizer = SeveralTokenizer(inner.dim, {"both": inner, "text": WordTokenizer(inner.dim, least=1)}, target="text")
    tokenizer.fit(samples)
    assert set(tokenizer.kinds) == {"image", "text"} and tokenizer.state()["both"] == whole.state()
    prepared = [tokenizer.prepare(each) for each in samples]
    batch = tokenizer.collate(prepared)
    inner.load_state_dict(whole.state_dict())
    alone = whole(whole.collate([whole.prepare(each) for each in samples]))
    assert torch.equal(tokenizer.part("both")(batch["both"]).embeddings, alone.embeddings)
    assert tokenizer.part("both")(batch["both"]).info.modality.unique().tolist() == [0, 1]
    assert tokenizer(batch).info.modality.unique().tolist() == [0, 1, 2]


@pytest.mark.parametrize("order", [["image", "both"], ["both", "image"]])
def test_each_part_varies_its_own_values_alone(order):
    """Whichever comes first: a part of several kinds leaves the values of the others as they are."""
    first, *_ = samples_for("several")
    flip = partial(ImageTokenizer, 8, patch=4, transforms=[RandomHorizontalFlip(1.0)])
    parts = {"image": flip(), "both": SeveralTokenizer(8, {"text": WordTokenizer(8), "seen": flip()})}
    tokenizer = SeveralTokenizer(8, {name: parts[name] for name in order}, target="image")
    picture = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8).repeat(3).reshape(8, 8, 3))
    sample = Sample("a", {"image": picture, "text": first.value["text"], "seen": picture})
    varied = tokenizer.augment(sample, torch.Generator().manual_seed(0)).value
    plain = parts["image"].augment(Sample("a", picture), torch.Generator().manual_seed(0)).value
    assert not same(plain, picture)
    assert same(varied["image"], plain) and same(varied["seen"], plain) and varied["text"] == sample.value["text"]


def test_further_values_are_for_parts_of_one_kind():
    both = partial(SeveralTokenizer, 8, {"text": WordTokenizer(8)})
    for arguments in (
        {"parts": {"both": both(also={"wrong": "text"})}},
        {"parts": {"both": both()}, "also": {"wrong": "both"}},
    ):
        with pytest.raises(
            ConfigError, match=r"tokenizer.also names values for one kind of data, and tokenizer.parts.both"
        ):
            SeveralTokenizer(8, **arguments)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ('{"text": "a"}', "'image' is the name of a file, and is missing"),
        ('{"text": 3, "image": "a.png"}', "'text' is a text, and is no string"),
        ("[" * 100000, "is no sample of several kinds"),
        ('{"text": "a", "image": "a.pgn"}', r"a\.pgn: there is no such file. Did you mean 'a.png'"),
        ('{"text": "a", "images": "a.png"}', "holds 'images', and read are image, text. Did you mean 'image'"),
        ('["a"]', "holds no JSON object"),
        ("a", "is no sample of several kinds"),
    ],
)
def test_a_sample_of_several_kinds_is_a_file_that_names_each(wrong, said, tmp_path):
    tokenizer, file = fitted(), tmp_path / "sample.json"
    Image.new("RGB", (8, 8), "red").save(tmp_path / "a.png")
    file.write_text('{"text": "a red circle", "image": "a.png"}')
    (sample,) = tokenizer.read(file)
    assert sample.value["text"] == "a red circle" and sample.value["image"].size == (8, 8)
    assert set(tokenizer.prepare(sample)) == {"image", "text"}
    file.write_text(wrong)
    with pytest.raises(BadSample, match=said):
        tokenizer.read(file)
