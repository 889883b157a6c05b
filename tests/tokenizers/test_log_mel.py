"""Log-mel spectrograms, against numpy's Fourier transform and the mel scale's definition."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mmattn.data.readers import Waveform
from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.tokenizers.log_mel import FLOOR, LogMel, sound_of
from tests.tokenizers.examples import tone

SMALL = LogMel(rate=8000, n_fft=256, hop_length=100, mels=20)


def mel(hertz):
    return 2595 * np.log10(1 + np.asarray(hertz) / 700)


def reference(sound, kind):
    """Triangles between equal steps of the mel scale over the power spectrum of Hann windows centred at each hop."""
    padded = np.pad(sound, kind.n_fft // 2)
    starts = range(0, len(padded) - kind.n_fft + 1, kind.hop_length)
    window = np.hanning(kind.n_fft + 1)[:-1]
    power = np.array([np.abs(np.fft.rfft(padded[start : start + kind.n_fft] * window)) ** 2 for start in starts])
    edges = 700 * (10 ** (np.linspace(0, mel(kind.rate / 2), kind.mels + 2) / 2595) - 1)
    hertz = np.linspace(0, kind.rate / 2, kind.n_fft // 2 + 1)
    rise = (hertz[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    fall = (edges[2:] - hertz[:, None]) / np.diff(edges)[1:]
    return np.log(np.maximum(power @ np.maximum(0, np.minimum(rise, fall)), FLOOR))


@pytest.mark.parametrize("length", [256, 700, 1000])
def test_it_is_the_textbooks(length):
    sound = torch.randn(length, generator=torch.Generator().manual_seed(length)) * 0.1
    found = SMALL.features(sound)
    assert found.shape == (1 + length // 100, 20)
    np.testing.assert_allclose(found.numpy(), reference(sound.double().numpy(), SMALL), atol=1e-3)


@pytest.mark.parametrize("length", [1, 100, 255])
def test_a_short_clip_is_followed_by_silence(length):
    sound = torch.full((length,), 0.5)
    whole = torch.nn.functional.pad(sound, (0, 256 - length))
    assert torch.equal(SMALL.features(sound), SMALL.features(whole))


def test_silence_is_the_floor():
    assert SMALL.features(torch.zeros(400)).unique().tolist() == [pytest.approx(math.log(FLOOR))]


@pytest.mark.parametrize("hertz", [200, 1000, 3000])
def test_a_tone_is_loudest_in_the_band_that_says_so(hertz):
    spectrum = SMALL.features(tone(0.5, 8000, hertz=hertz).samples[0]).mean(0)
    low, high = SMALL.frequencies(int(spectrum.argmax()), int(spectrum.argmax()) + 1)
    assert low < hertz < high


def test_bands_share_the_range_and_overlap_by_half():
    edges = [SMALL.frequencies(band, band + 1) for band in range(20)]
    assert edges[0][0] == 0 and edges[-1][1] == pytest.approx(4000)
    assert SMALL.frequencies(3, 7) == (edges[3][0], edges[6][1])
    centres = mel([high for _, high in edges[:-1]])
    np.testing.assert_allclose(np.diff(centres), np.diff(centres)[0], rtol=1e-3)
    assert all(later[0] == pytest.approx(mel_centre(earlier)) for earlier, later in zip(edges, edges[1:], strict=False))


def mel_centre(edges):
    low, high = mel(edges)
    return 700 * (10 ** ((low + high) / 2 / 2595) - 1)


@pytest.mark.parametrize("name", ["rate", "n_fft", "hop_length", "mels"])
def test_sizes_must_be_positive(name):
    with pytest.raises(ConfigError, match=f"tokenizer.{name}=0 must be at least 1"):
        LogMel(**{**vars(SMALL), name: 0})


def test_channels_are_averaged_and_rates_changed():
    both = torch.stack([torch.ones(400), torch.zeros(400)]).double()
    assert sound_of(Sample("x", Waveform(both, 8000)), 8000, False).tolist() == [0.5] * 400
    fast = sound_of(Sample("x", tone(0.5, 16000, hertz=500)), 8000, False)
    slow = tone(0.5, 8000, hertz=500).samples[0]
    assert len(fast) == len(slow) and (fast - slow)[100:-100].abs().mean() < 0.02


def test_opposite_channels_are_silent_together():
    wave = torch.sin(torch.arange(400.0))
    opposite = Waveform(torch.stack([wave, -wave]), 8000)
    assert not sound_of(Sample("x", opposite), 8000, True).any()
