"""Handwritten digits that scikit-learn ships: 1,797 grey images of 8 × 8 pixels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy
from PIL import Image

from mmattn.data.source import Sample, Source, Split
from mmattn.data.split import three_way


class Digits(Source):
    """PIL images of mode "L", 8 × 8, scaled from 0–16 to 0–255; labels 0–9.

    The data has no official split: a stratified one is cut by `seed`, `validation` and `test` being fractions of the
    whole. Source: UCI Optical Recognition of Handwritten Digits, test part (Alpaydin and Kaynak, 1998).
    """

    classes = tuple("0123456789")

    def __init__(self, validation: float = 0.1, test: float = 0.2, seed: int = 0) -> None:
        self.validation, self.test, self.seed = validation, test, seed

    def samples(self, split: Split) -> Sequence[Sample]:
        return self._splits[split]

    @cached_property
    def _splits(self) -> dict[str, list[Sample]]:
        from sklearn.datasets import load_digits

        data = load_digits()
        labels = [int(label) for label in data.target]
        pixels = numpy.rint(data.images * (255 / 16)).astype(numpy.uint8)
        all_samples = [
            Sample(f"digits[{i}]", Image.fromarray(image), label)
            for i, (image, label) in enumerate(zip(pixels, labels, strict=True))
        ]
        parts = three_way(labels, self.validation, self.test, self.seed, self.classes)
        return {name: [all_samples[i] for i in indices] for name, indices in parts.items()}
