"""What all tokenizers of images share: reading, resizing, augmenting and standardizing pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmattn.data.readers import read_image
from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.tokenizer import Tokenizer
from mmattn.tokenizers.pixels import Resize, augmented, pair, pixels_of, unit
from mmattn.tokenizers.standardize import Standardize, evenly


class PixelTokenizer(Tokenizer):
    """Images (PIL, arrays, tensors) as standardized pixels; a modality writes what a token of them is.

    Args:
        channels: 1 (grey), 3 (colour), or what the arrays have.
        resize: the shorter side in pixels, or [height, width]; null keeps every image's size.
        mean, std: of pixels in [0, 1], a number or one a channel; null fits them on `fit_samples` training samples.
        transforms: torchvision v2 transforms of training images, applied in order.

    The other arguments are `Tokenizer`'s.
    """

    def __init__(
        self,
        dim: int,
        *,
        channels: int = 3,
        resize: Resize = None,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        fit_samples: int = 2000,
        transforms: Sequence[Callable[[Any], Any]] = (),
        max_length: int | None = None,
        prefix: int = 0,
    ) -> None:
        super().__init__(dim, max_length=max_length, prefix=prefix)
        if channels < 1:
            raise ConfigError(f"tokenizer.channels={channels} must be at least 1.")
        self.channels = channels
        self.resize = resize if resize is None or isinstance(resize, int) else pair("resize", resize)
        self.fit_samples, self.transforms = fit_samples, list(transforms)
        self.standardize = Standardize(channels, mean, std)

    def fit(self, samples: Sequence[Sample]) -> None:
        chosen = evenly(samples, self.fit_samples) if not self.standardize.given else []
        self.standardize.fit(unit(self.pixels(sample), torch.float64).flatten(1) for sample in chosen)

    def state(self) -> Any:
        return self.standardize.state()

    def restore_state(self, state: Any) -> None:
        self.standardize.restore_state(state)

    @property
    def varies(self) -> bool:
        own = type(self).augment is not PixelTokenizer.augment  # of a class of a user's
        return own or bool(self.transforms)

    def augment(self, sample: Sample, generator: torch.Generator) -> Sample:
        return augmented(sample, self.transforms, generator)

    def pixels(self, sample: Sample) -> Tensor:
        """Raw pixels (channels, height, width). Raises `BadSample`."""
        return pixels_of(sample, self.channels, self.resize)

    def read(self, path: Path) -> Sequence[Sample]:
        return [Sample(str(path), read_image(path))]
