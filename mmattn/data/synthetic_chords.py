"""Several notes that sound at once, synthesised: which ones is a problem of many labels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy
import torch

from mmattn.data.readers import Waveform
from mmattn.data.source import SPLITS, Lazy, Sample, Source, Split
from mmattn.data.split import split_sizes
from mmattn.errors import ConfigError

RATE = 8000
LOWEST = 220.0  # hertz: the A below middle C
OCTAVES = 2


class SyntheticChords(Source):
    """`Waveform`s of one channel, 0.5–1 s at 8 kHz; the labels are its one to `most` notes, by name without octave.

    Each note begins at its own moment, in one of two octaves, with its own level, decay and strength of six overtones;
    tuning and noise vary by clip. Overtones of one note lie on the fundamentals of others (the third of A on E), so
    the strongest bands do not say which notes there are. Clip i of a split depends on (seed, split, i) alone.
    """

    classes = ("A", "A#", "B", "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#")

    def __init__(self, train: int = 2000, validation: int = 300, test: int = 500, seed: int = 0, most: int = 5) -> None:
        if not 1 <= most <= len(self.classes):
            raise ConfigError(f"data.most={most} must be between 1 and {len(self.classes)}, the number of notes.")
        self.sizes = split_sizes(train, validation, test)
        self.seed, self.most = seed, most

    def samples(self, split: Split) -> Sequence[Sample] | None:
        labels = [self._notes(self._random(split, index)) for index in range(self.sizes[split])]
        return Lazy(len(labels), partial(self._make, split), labels) if labels else None

    def _random(self, split: Split, index: int) -> numpy.random.Generator:
        return numpy.random.default_rng((self.seed, SPLITS.index(split), index))

    def _notes(self, random: numpy.random.Generator) -> list[int]:
        count = random.integers(1, self.most + 1)
        return sorted(random.choice(len(self.classes), count, replace=False).tolist())

    def _make(self, split: Split, index: int) -> Sample:
        random = self._random(split, index)
        notes = self._notes(random)
        clip = chord(notes, random)
        return Sample(f"synthetic_chords.{split}[{index}]", Waveform(torch.from_numpy(clip)[None], RATE), notes)


def chord(notes: Sequence[int], random: numpy.random.Generator) -> numpy.ndarray:
    """Notes, in semitones above A, sounding together: float32 (time,) within [-1, 1]."""
    time = numpy.arange(int(random.integers(RATE // 2, RATE + 1))) / RATE
    tuning = LOWEST * 2 ** random.uniform(-0.02, 0.02)  # a quarter of a semitone down or up
    clip = random.normal(size=len(time)) * 10 ** random.uniform(-2, -0.5)
    for note in notes:
        pitch = tuning * 2 ** (note / 12 + random.integers(OCTAVES))
        begun = time - random.uniform(0, 0.4)
        envelope = numpy.where(begun > 0, numpy.exp(-begun * random.uniform(2, 12)), 0) * numpy.clip(begun * 100, 0, 1)
        partials = numpy.arange(1, min(6, int(RATE / 2 / pitch)) + 1)
        strength = random.uniform(0, 1, len(partials)) / numpy.sqrt(partials)
        phase = numpy.outer(time, partials * pitch) + random.uniform(size=len(partials))
        clip += numpy.sin(2 * numpy.pi * phase) @ strength * envelope * random.uniform(0.2, 1)
    return (clip / numpy.abs(clip).max() * random.uniform(0.1, 1)).astype(numpy.float32)
