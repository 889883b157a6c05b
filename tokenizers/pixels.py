"""Raw images of any kind as one tensor of pixels; nothing is cropped, clipped or guessed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import functional as transform

from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizers.randomness import drawn_from

Resize = int | Sequence[int] | None
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as PIL's convert("L")


def pixels_of(sample: Sample, channels: int, resize: Resize = None) -> Tensor:
    """Pixels (channels, height, width): uint8, or float32 in [0, 1] where the source has more than 8 bits.

    Reads a PIL image of any mode of 8 bits or `I;16` (an alpha channel is composited over white), an array (height,
    width[, channels]) or a tensor ([channels, ]height, width); arrays and tensors are bool, uint8, uint16 or float in
    [0, 1]. Grey becomes colour by repetition and colour grey by BT.601 luma; any other change of channels is an error.
    `resize`: the shorter side, or [height, width]. Raises `BadSample`.
    """
    value = sample.value
    if isinstance(value, Image.Image):
        value = _from_pil(sample.name, value, channels)
    elif isinstance(value, np.ndarray):
        value = torch.from_numpy(np.array(value))
        value = value.permute(2, 0, 1) if value.ndim == 3 else value
    elif not isinstance(value, Tensor):
        raise BadSample(sample.name, f"is a {type(value).__name__}, not an image (PIL image, array or tensor)")
    value = value[None] if value.ndim == 2 else value
    if value.ndim != 3 or value.numel() == 0:
        raise BadSample(
            sample.name, f"has shape {tuple(value.shape)}, and an image needs height and width of at least 1"
        )
    pixels = _with_channels(sample.name, _in_range(sample.name, value), channels)
    if resize is None:
        return pixels.contiguous()
    size = [resize] if isinstance(resize, int) else list(resize)
    return transform.resize(pixels, size, antialias=True).contiguous()


def augmented(sample: Sample, transforms: Sequence[Callable[[Any], Any]], generator: torch.Generator) -> Sample:
    """The sample after torchvision's transforms, every draw of which comes from `generator`."""
    if not transforms:
        return sample
    value = sample.value
    if isinstance(value, np.ndarray):
        value = torch.from_numpy(np.array(value))
        value = value.permute(2, 0, 1) if value.ndim == 3 else value[None]
    with drawn_from(generator):
        for each in transforms:
            value = each(value)
    return replace(sample, value=value)


def unit(pixels: Tensor, dtype: torch.dtype) -> Tensor:
    """Pixels in [0, 1] of a floating type."""
    return pixels.to(dtype) if pixels.is_floating_point() else pixels.to(dtype) / 255


def pair(name: str, value: int | Sequence[int]) -> tuple[int, int]:
    """(height, width) from a config value. Raises `ConfigError`."""
    numbers = (value, value) if isinstance(value, int) else tuple(value)
    if len(numbers) != 2 or min(numbers) < 1:
        raise ConfigError(f"tokenizer.{name}={value} must be a whole number of at least 1, or two of them.")
    return numbers[0], numbers[1]


def _from_pil(name: str, image: Image.Image, channels: int) -> Tensor:
    if image.mode in ("I", "F"):
        raise BadSample(
            name, f"has mode {image.mode} (32 bits of unknown scale); give 8 or 16 bits, or floats in [0, 1]"
        )
    if not image.mode.startswith("I;16"):
        if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        mode = {1: "L", 3: "RGB"}.get(channels, image.mode)
        image = image if image.mode == mode else image.convert(mode)
    array = np.array(image)
    pixels = torch.from_numpy(array.astype(np.uint16) if image.mode.startswith("I;16") else array)
    return pixels.permute(2, 0, 1) if pixels.ndim == 3 else pixels


def _in_range(name: str, pixels: Tensor) -> Tensor:
    if pixels.dtype == torch.uint8:
        return pixels
    if pixels.dtype == torch.bool:
        return pixels.to(torch.uint8) * 255
    if pixels.dtype == torch.uint16:
        return pixels.float() / 65535
    if not pixels.is_floating_point():
        raise BadSample(name, f"has pixels of type {pixels.dtype}; give bool, uint8, uint16 or floats in [0, 1]")
    if not bool(pixels.isfinite().all()):
        raise BadSample(name, "has pixels that are not finite (NaN or infinity)")
    if float(pixels.min()) < 0 or float(pixels.max()) > 1:
        raise BadSample(name, f"has float pixels from {pixels.min():g} to {pixels.max():g}; scale them to [0, 1]")
    return pixels.float()


def _with_channels(name: str, pixels: Tensor, channels: int) -> Tensor:
    if len(pixels) == channels:
        return pixels
    if len(pixels) == 1 and channels == 3:
        return pixels.expand(3, -1, -1)
    if len(pixels) == 3 and channels == 1:
        grey = torch.einsum("c,chw->hw", torch.tensor(LUMA), pixels.float())[None]
        return grey.round().to(torch.uint8) if pixels.dtype == torch.uint8 else grey.clamp(0, 1)
    raise BadSample(name, f"has {len(pixels)} channels, and tokenizer.channels is {channels}")
