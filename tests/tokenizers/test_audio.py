from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmattn.data.readers import Waveform
from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizers.audio import AudioTokenizer
from mmattn.tokenizers.log_mel import FLOOR
from mmattn.tokenizers.sound_transforms import RandomGain, RandomNoise, RandomShift, SpecAugment
from tests.tokenizers.examples import tone


def tokenizer_of(**arguments: Any) -> AudioTokenizer:
    return AudioTokenizer(8, **{"mean": -5.0, "std": 3.0, **arguments})


@given(
    st.lists(st.integers(1, 4000), min_size=1, max_size=4),
    st.sampled_from(["left", "right"]),
    st.sampled_from([(4, 64), (3, 16), (1, 64)]),
)
@settings(max_examples=20, deadline=None)
def test_batch_mates_change_nothing(lengths: list[int], side: str, patch: tuple[int, int]) -> None:
    tokenizer = tokenizer_of(patch=patch).double()
    prepared = [tokenizer.prepare(Sample("x", tone(length / 16000))) for length in lengths]
    together = tokenizer(tokenizer.collate(prepared, side))
    for row, each in enumerate(prepared):
        alone = tokenizer(tokenizer.collate([each]))
        real = together.info.real[row]
        torch.testing.assert_close(together.embeddings[row][real], alone.embeddings[0], rtol=0, atol=1e-6)
        assert torch.equal(together.info.coordinates[row][real], alone.info.coordinates[0])
        assert not together.embeddings[row][~real].any()


def test_patches_are_the_spectrogram_padded_with_silence() -> None:
    tokenizer = tokenizer_of(patch=[7, 16])
    sample = Sample("x", tone(0.1))
    features = tokenizer.log_mel.features(sample.value.samples[0])
    batch = tokenizer.collate([tokenizer.prepare(sample)])
    restored = tokenizer.restore(tokenizer.content(batch)[0])
    assert restored.shape == (14, 64)
    torch.testing.assert_close(restored[: len(features)], features, rtol=0, atol=1e-4)
    torch.testing.assert_close(restored[len(features) :], torch.full((3, 64), math.log(FLOOR)), rtol=0, atol=1e-4)
    assert tokenizer(batch).info.coordinates[0, 4:6].tolist() == [[1, 0], [1, 1]]


def test_frame_tokens_have_one_axis() -> None:
    tokenizer = tokenizer_of()
    tokens = tokenizer(tokenizer.collate([tokenizer.prepare(Sample("x", tone(0.1)))]))
    assert tokens.info.coordinates[0].tolist() == [[0], [1], [2]]


def test_a_tone_is_where_describe_says() -> None:
    tokenizer = tokenizer_of(patch=[4, 8])
    prepared = tokenizer.prepare(Sample("x", tone(0.5, hertz=1000)))
    loudest = int(prepared["patches"][40:48].mean(1).argmax()) + 40
    text = tokenizer.describe(prepared, loudest)
    low, high = (float(hertz) for hertz in text.removesuffix(" Hz").split(", ")[1].split("–"))
    assert text.startswith("0.20–0.24 s, ")
    assert low < 1000 < high


def test_rates_and_channels_become_one() -> None:
    features = [tokenizer_of().prepare(Sample("x", tone(0.5, rate, 2)))["patches"] for rate in (16000, 32000, 44100)]
    for other in features[1:]:
        assert other.shape == features[0].shape
        assert float((other[:, :1024:4] - features[0][:, :1024:4]).abs().mean()) < 1.5


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("hum", "is a str, and this tokenizer reads sound"),
        (Waveform(torch.zeros(1, 0), 16000), "is empty: the sound has no samples"),
        (Waveform(torch.zeros(1, 900), 16000), "is silent from end to end; set tokenizer.allow_silence=true"),
        (Waveform(torch.full((1, 900), torch.nan), 16000), "has samples that are not finite"),
        (Waveform(torch.zeros(900), 16000), r"has samples of shape \(900,\)"),
        (Waveform(torch.zeros(1, 9, dtype=torch.int16), 16000), "type torch.int16"),
    ],
)
def test_bad_sounds(value: Any, fault: str) -> None:
    with pytest.raises(BadSample, match=rf"^clip 3: .*{fault}"):
        tokenizer_of().prepare(Sample("clip 3", value))


def test_silence_is_accepted_on_demand() -> None:
    prepared = tokenizer_of(allow_silence=True).prepare(Sample("x", Waveform(torch.zeros(1, 900), 16000)))
    assert prepared["patches"].unique().tolist() == pytest.approx([math.log(FLOOR)])


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"patch": [4, 30]}, "its 30 bands do not divide tokenizer.mels=64"),
        ({"hop_length": 0}, "hop_length=0 must be at least 1"),
        ({"n_fft": 64}, "mels=64 are too many for tokenizer.n_fft=64"),
    ],
)
def test_bad_configs(arguments: Any, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        tokenizer_of(**arguments)


def test_augment_follows_its_generator() -> None:
    parts = [RandomGain(), RandomShift(), RandomNoise()]
    tokenizer = tokenizer_of(transforms=parts, spec_augment=SpecAugment(time=10, frequency=20))

    def variation(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return tokenizer.prepare(tokenizer.augment(Sample("x", tone(0.5)), generator))["patches"]

    before = torch.get_rng_state()
    assert torch.equal(variation(3), variation(3))
    assert not torch.equal(variation(3), variation(4))
    assert torch.equal(torch.get_rng_state(), before)
    hidden = [float((variation(seed) == -5.0).float().mean()) for seed in range(5)]
    assert 0 < max(hidden) < 0.8


def test_read(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(0.2, 8000).samples[0].numpy(), 8000)
    (sample,) = tokenizer_of().read(tmp_path / "a.wav")
    assert sample.value.rate == 8000
    assert tokenizer_of().count(tokenizer_of().prepare(sample)) == 6
