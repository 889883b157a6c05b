"""Random variations of training sound. Each draws from torch's global generator, which the tokenizer seeds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torchaudio.transforms import FrequencyMasking, TimeMasking

from mmattn.data.readers import Waveform


@dataclass(frozen=True)
class RandomGain:
    """Louder or softer by up to `decibels`."""

    decibels: float = 6.0

    def __call__(self, sound: Waveform) -> Waveform:
        gain = 10 ** (self.decibels * (2 * torch.rand(()) - 1) / 20)
        return replace(sound, samples=sound.samples * gain)


@dataclass(frozen=True)
class RandomShift:
    """Earlier or later by up to `seconds`; what leaves at one end comes in at the other."""

    seconds: float = 0.1

    def __call__(self, sound: Waveform) -> Waveform:
        most = round(self.seconds * sound.rate)
        return replace(sound, samples=sound.samples.roll(int(torch.randint(-most, most + 1, ())), dims=-1))


@dataclass(frozen=True)
class RandomNoise:
    """White noise, `least` to `most` decibels below the sound's power."""

    least: float = 10.0
    most: float = 40.0

    def __call__(self, sound: Waveform) -> Waveform:
        decibels = self.least + (self.most - self.least) * torch.rand(())
        deviation = sound.samples.square().mean().sqrt() * 10 ** (-decibels / 20)
        return replace(sound, samples=sound.samples + deviation * torch.randn_like(sound.samples))


@dataclass(frozen=True)
class SpecAugment:
    """Hide stretches of time and frequency (Park et al. 2019, https://arxiv.org/abs/1904.08779), through torchaudio.

    time, frequency: the widest mask, in frames and mel bands; 0 makes none. masks: how many of each.
    share: the most of a clip's frames that one time mask may hide.
    """

    time: int = 10
    frequency: int = 8
    masks: int = 2
    share: float = 0.2

    def __call__(self, features: Tensor, value: float) -> Tensor:
        """features (frames, mels) with `value` where they are hidden."""
        spectrogram = features.T[None]
        for _ in range(self.masks):
            if self.time:
                spectrogram = TimeMasking(self.time, p=self.share)(spectrogram, value)
            if self.frequency:
                spectrogram = FrequencyMasking(self.frequency)(spectrogram, value)
        return spectrogram[0].T
