"""Sound as patches of its log-mel spectrogram."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmattn.data.readers import Waveform, read_audio
from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.report.pictures import heat
from mmattn.sequence import Side, TokenSequence
from mmattn.tokenizer import Batch, Prepared, Tokenizer, pad, token_info
from mmattn.tokenizers.log_mel import FLOOR, LogMel, sound_of
from mmattn.tokenizers.pixels import pair
from mmattn.tokenizers.randomness import drawn_from
from mmattn.tokenizers.sound_transforms import SpecAugment
from mmattn.tokenizers.standardize import Standardize, evenly


@dataclass(frozen=True)
class Features:
    """A log-mel spectrogram (frames, mels): what `augment` makes of a waveform, so that it can hide parts of it."""

    log_mel: Tensor


class AudioTokenizer(Tokenizer):
    """One token a patch of frames × mel bands, read band by band within time (AST, Gong et al. 2021,
    https://arxiv.org/abs/2104.01778); a patch of all bands is a frame token.

    Channels are averaged and sound is resampled to `rate`. The end is padded with silence (the log floor) to whole
    patches, never cropped, and so is a clip shorter than one window.

    Args:
        rate: hertz. n_fft, hop_length: window and hop in samples. mels: bands from 0 to rate / 2.
        patch: [frames, bands] of one token; `bands` divides `mels`.
        mean, std: of log-mel values; null fits them on up to `fit_samples` training samples.
        allow_silence: accept clips without any sound.
        transforms: random variations of training waveforms, e.g. `sound_transforms.RandomGain`.
        spec_augment: hides parts of training spectrograms, or null.
    """

    def __init__(
        self,
        dim: int,
        *,
        rate: int = 16000,
        n_fft: int = 400,
        hop_length: int = 160,
        mels: int = 64,
        patch: Sequence[int] = (4, 64),
        mean: float | None = None,
        std: float | None = None,
        fit_samples: int = 2000,
        allow_silence: bool = False,
        transforms: Sequence[Callable[[Waveform], Waveform]] = (),
        spec_augment: SpecAugment | None = None,
        max_length: int | None = None,
        prefix: int = 0,
    ) -> None:
        super().__init__(dim, max_length=max_length, prefix=prefix)
        self.log_mel = LogMel(rate, n_fft, hop_length, mels)
        self.patch = pair("patch", patch)
        if mels % self.patch[1]:
            raise ConfigError(
                f"tokenizer.patch={list(self.patch)}: its {self.patch[1]} bands do not divide tokenizer.mels={mels}."
            )
        self.fit_samples, self.allow_silence = fit_samples, allow_silence
        self.transforms, self.spec_augment = list(transforms), spec_augment
        self.standardize = Standardize(1, mean, std)
        self.content_size = math.prod(self.patch)
        self.projection = nn.Linear(self.content_size, dim)

    def _features(self, sample: Sample) -> Tensor:
        if isinstance(sample.value, Features):
            return sample.value.log_mel
        return self.log_mel.features(sound_of(sample, self.log_mel.rate, self.allow_silence))

    def fit(self, samples: Sequence[Sample]) -> None:
        chosen = evenly(samples, self.fit_samples) if not self.standardize.given else []
        self.standardize.fit(self._features(sample).view(1, -1) for sample in chosen)

    def state(self) -> Any:
        return self.standardize.state()

    def restore_state(self, state: Any) -> None:
        self.standardize.restore_state(state)

    @property
    def varies(self) -> bool:
        own = type(self).augment is not AudioTokenizer.augment  # of a class of a user's
        return own or bool(self.transforms) or self.spec_augment is not None

    def augment(self, sample: Sample, generator: torch.Generator) -> Sample:
        with drawn_from(generator):
            for transform in self.transforms:
                sample = replace(sample, value=transform(sample.value))
            if self.spec_augment is None:
                return sample
            hidden = float(self.standardize.mean)  # 0 once standardized
            return replace(sample, value=Features(self.spec_augment(self._features(sample), hidden)))

    def prepare(self, sample: Sample) -> Prepared:
        """`patches` (steps × bands, frames × bands of a patch)."""
        features = self._features(sample)
        steps = -(-len(features) // self.patch[0])
        features = nn.functional.pad(features, (0, 0, 0, steps * self.patch[0] - len(features)), value=math.log(FLOOR))
        patches = features.view(steps, self.patch[0], -1, self.patch[1]).transpose(1, 2)
        return {"patches": patches.reshape(-1, math.prod(self.patch))}

    @property
    def bands(self) -> int:
        """Tokens at one time."""
        return self.log_mel.mels // self.patch[1]

    def count(self, prepared: Prepared) -> int:
        return len(prepared["patches"])

    def stack(self, prepared: Sequence[Prepared], side: Side) -> Batch:
        return {"patches": pad([each["patches"] for each in prepared], side)}

    def content(self, batch: Batch) -> Tensor:
        """Standardized log-mel patches (batch, length, frames × bands of a patch)."""
        patches = batch["patches"].to(self.projection.weight.dtype)
        return self.standardize(patches[..., None, :])[..., 0, :] * token_info(batch).real[..., None]

    def embed(self, batch: Batch) -> TokenSequence:
        x = self.projection(self.content(batch))
        order = token_info(batch).order
        step, band = order // self.bands, order % self.bands
        coordinates = step[..., None] if self.bands == 1 else torch.stack([step, band], -1)
        return TokenSequence(x, token_info(batch, coordinates=coordinates)).zero_padding()

    def restore(self, ids_or_tokens: Tensor) -> Tensor:
        """Standardized patches (steps × bands, values) to a log-mel spectrogram (frames, mels)."""
        frames, bands = self.patch
        blocks = ids_or_tokens.view(-1, self.bands, frames, bands).transpose(1, 2)
        return self.standardize.inverse(blocks.reshape(1, -1)).view(-1, self.log_mel.mels)

    def picture(self, content: Tensor, prepared: Prepared) -> np.ndarray:
        """The log-mel spectrogram, time to the right, low frequencies at the bottom."""
        return heat(self.restore(content).T.flip(0).cpu().numpy())

    def describe(self, prepared: Prepared, index: int) -> str:
        """Seconds and hertz that the patch covers."""
        step, band = divmod(index, self.bands)
        seconds = self.patch[0] * self.log_mel.hop_length / self.log_mel.rate
        low, high = self.log_mel.frequencies(band * self.patch[1], (band + 1) * self.patch[1])
        return f"{step * seconds:.2f}–{(step + 1) * seconds:.2f} s, {low:.0f}–{high:.0f} Hz"

    def read(self, path: Path) -> Sequence[Sample]:
        return [Sample(str(path), read_audio(path))]
