"""A tokenizer is fitted although some samples are bad, where the config says that they are skipped."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from mmattn.data.arrays import Arrays
from mmattn.data.captions_folder import CaptionsFolder
from mmattn.data.datamodule import DataModule
from mmattn.data.readers import Waveform
from mmattn.data.source import Lazy, Sample
from mmattn.data.usable import Usable
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizers.audio import AudioTokenizer
from mmattn.tokenizers.image import ImageTokenizer
from mmattn.tokenizers.several import SeveralTokenizer
from mmattn.tokenizers.words import WordTokenizer


def module(source, tokenizer, on_bad_sample):
    data = DataModule(source, tokenizer, batch_size=4, on_bad_sample=on_bad_sample)
    data.fit_tokenizer()
    return data


@pytest.fixture
def folder(tmp_path):
    """Twelve images with captions, of which one is no image."""
    for number in range(12):
        path = tmp_path / f"{number}.png"
        Image.fromarray(np.full((4, 4, 3), 20 * number, np.uint8)).save(path)
        path.with_suffix(".txt").write_text("red" if number % 2 else "blue")
    (tmp_path / "5.png").write_bytes(b"no image")
    return tmp_path


def pictures_and_words():
    return SeveralTokenizer(8, {"image": ImageTokenizer(8, patch=4), "text": WordTokenizer(8, least=1)})


def test_an_unreadable_image_among_many_is_named_or_skipped_and_counted(folder):
    with pytest.raises(BadSample, match=r"5\.png: is not a readable image"):
        module(CaptionsFolder(folder), pictures_and_words(), "raise").dataset("train")
    data = module(CaptionsFolder(folder), pictures_and_words(), "skip")
    skipped = [fault for split in data.splits for fault in data.dataset(split).skipped]
    assert len(skipped) == 1 and "5.png: is not a readable image" in skipped[0]
    assert sum(len(data.dataset(split)) for split in data.splits) == 11
    assert data.tokenizer.part("text").words == ["blue", "red"]


def test_what_the_tokenizer_cannot_use_is_left_out_of_its_mean():
    clips = [Waveform(torch.rand(1, 2000, generator=torch.Generator().manual_seed(i)), 16000) for i in range(5)]
    silent = Waveform(torch.zeros(1, 2000), 16000)
    bad, good = (Arrays((values, None), (clips, None)) for values in ([clips[0], silent, *clips[1:]], clips))
    with pytest.raises(BadSample, match=r"train\[1\]"):
        module(bad, AudioTokenizer(8), "raise")
    data = module(bad, AudioTokenizer(8), "skip")
    mean = module(good, AudioTokenizer(8), "raise").tokenizer.standardize.mean
    assert len(data.dataset("train").skipped) == 1
    torch.testing.assert_close(data.tokenizer.standardize.mean, mean, atol=0.5, rtol=0)


def test_nothing_usable_is_said():
    def read(index):
        raise BadSample("x.png", "is no image")

    with pytest.raises(ConfigError, match="No training sample can be used; x.png: is no image"):
        list(Usable(Lazy(3, read)))
    some = Usable([Sample(name, name) for name in "abc"])
    some.left_out.add("b")
    assert [each.value for each in some] == ["a", "c", "c"] and [each.value for each in some[1:]] == ["c", "c"]
