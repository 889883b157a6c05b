"""Sound as a log-mel spectrogram, on the CPU, in float32."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torchaudio.functional import melscale_fbanks
from torchaudio.transforms import MelSpectrogram, Resample

from mmattn.data.readers import Waveform
from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError

FLOOR = 1e-5  # mel power of what counts as silence: about -100 dB under a full-scale tone
SILENT = 1e-6  # peak amplitude, below the step of 16-bit sound (3e-5)


@dataclass(frozen=True)
class LogMel:
    """rate and the spectrogram's window and hop in samples; `mels` bands from 0 Hz to rate / 2."""

    rate: int
    n_fft: int
    hop_length: int
    mels: int

    def __post_init__(self) -> None:
        for name in ("rate", "n_fft", "hop_length", "mels"):
            if getattr(self, name) < 1:
                raise ConfigError(f"tokenizer.{name}={getattr(self, name)} must be at least 1.")
        with warnings.catch_warnings(action="ignore"):  # torchaudio warns of what is an error here
            filters = melscale_fbanks(self.n_fft // 2 + 1, 0.0, self.rate / 2, self.mels, self.rate)
        if bool((filters.amax(0) == 0).any()):
            raise ConfigError(
                f"tokenizer.mels={self.mels} are too many for tokenizer.n_fft={self.n_fft}: some bands hold no "
                "frequency; lower mels or raise n_fft."
            )

    def features(self, sound: Tensor) -> Tensor:
        """log max(mel power, FLOOR), (frames, mels), of sound (time,); frame i is centred at i × hop_length."""
        missing = max(self.n_fft - len(sound), 0)
        spectrogram = _spectrogram(self.rate, self.n_fft, self.hop_length, self.mels)
        return spectrogram(torch.nn.functional.pad(sound, (0, missing))).clamp(min=FLOOR).log().T.contiguous()

    def frequencies(self, first: int, stop: int) -> tuple[float, float]:
        """Hertz from the lower edge of band `first` to the upper edge of band `stop - 1` (bands overlap by half)."""
        top = 2595 * torch.log10(torch.tensor(1 + self.rate / 2 / 700))  # the HTK mel scale, torchaudio's default
        mels = torch.linspace(0, float(top), self.mels + 2)
        hertz = 700 * (10 ** (mels / 2595) - 1)
        return float(hertz[first]), float(hertz[stop + 1])


def sound_of(sample: Sample, rate: int, allow_silence: bool) -> Tensor:
    """The mean of the channels (time,), float32, resampled to `rate` hertz. Raises `BadSample`."""
    value = sample.value
    if not isinstance(value, Waveform):
        raise BadSample(sample.name, f"is a {type(value).__name__}, and this tokenizer reads sound (Waveform)")
    if value.samples.ndim != 2 or not value.samples.is_floating_point() or value.rate < 1:
        raise BadSample(
            sample.name,
            f"has samples of shape {tuple(value.samples.shape)} and type {value.samples.dtype} at {value.rate} Hz; "
            "a Waveform holds floats (channels, time) at a positive rate",
        )
    if value.samples.numel() == 0:
        raise BadSample(sample.name, "is empty: the sound has no samples")
    if not bool(value.samples.isfinite().all()):
        raise BadSample(sample.name, "has samples that are not finite (NaN or infinity)")
    sound = value.samples.float().mean(0)
    if not allow_silence and float(sound.abs().max()) <= SILENT:
        raise BadSample(sample.name, "is silent from end to end; set tokenizer.allow_silence=true to accept such clips")
    return sound if value.rate == rate else _resample(value.rate, rate)(sound)


# Cached outside the tokenizer: these modules hold buffers that must not follow the model to its device or precision.
@lru_cache
def _spectrogram(rate: int, n_fft: int, hop_length: int, mels: int) -> MelSpectrogram:
    return MelSpectrogram(rate, n_fft=n_fft, hop_length=hop_length, n_mels=mels, pad_mode="constant")


@lru_cache
def _resample(source: int, target: int) -> Resample:
    return Resample(source, target)
