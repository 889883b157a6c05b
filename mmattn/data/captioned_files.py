"""Image files with captions, read when they are asked for: what sources of pictures and their texts share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image, ImageColor

from mmattn.data.readers import on_background, read_image
from mmattn.data.source import Lazy, Sample, Source, Split
from mmattn.data.split import cut_groups
from mmattn.errors import BadSample, ConfigError


@dataclass(frozen=True)
class Captioned:
    """An image and one of its captions, not yet read.

    name: where the caption stands, for errors. text: None where the image has no caption. otherwise: what to do where
    the image cannot be put there.
    """

    name: str
    image: Path
    text: str | None
    otherwise: str = "remove the row"


class CaptionedFiles(Source):
    """Pairs `{"image": a PIL image, "text": a caption}`; an image comes once for each caption, as the file has it, but
    in front of a background where it is transparent. Its file is read when the image is asked for.

    Args:
        listed: what each split holds, captions of one image together.
        validation: where `listed` has no validation split, this share of the training images is set apart, with all
            of their captions: no image is on both sides.
        seed: of that choice.
        background: a colour as Pillow names it, `white` or `#ffcc00`.

    Raises `ConfigError`, when made, for a colour that is none; `BadSample`, when a sample is read, for an image that is
    missing or has no caption and for an empty caption, and when its image is asked for, for one that is unreadable.
    """

    def __init__(
        self, listed: Mapping[Split, Sequence[Captioned]], validation: float, seed: int, background: str = "white"
    ) -> None:
        try:
            ImageColor.getrgb(background)
        except (ValueError, AttributeError, TypeError) as error:
            raise ConfigError(
                f"data.background={background} is no colour: give a name such as white, or '#ffcc00'."
            ) from error
        self.background, self._listed = background, dict(listed)
        if "validation" not in self._listed:
            self._listed |= _cut(self._listed["train"], validation, seed)

    def samples(self, split: Split) -> Sequence[Sample] | None:
        if split not in self._listed:
            return None
        return Lazy(len(self._listed[split]), _Reader(self._listed[split], self.background))


def _cut(listed: Sequence[Captioned], validation: float, seed: int) -> dict[Split, Sequence[Captioned]]:
    images = list(dict.fromkeys(each.image for each in listed))
    apart = {images[i] for i in cut_groups([None] * len(images), validation, seed)[1]}
    return {
        "train": [each for each in listed if each.image not in apart],
        "validation": [each for each in listed if each.image in apart],
    }


@dataclass(frozen=True)
class _ImageFile:
    """An image that is read once, when it is asked for."""

    path: Path
    background: str

    @cached_property
    def image(self) -> Image.Image:
        return on_background(read_image(self.path), self.background)


@dataclass(frozen=True, eq=False)
class _Pair(Mapping[str, Any]):
    """The value of a sample: whoever asks for the text alone, as a vocabulary does, opens no file."""

    name: str
    file: _ImageFile
    text: str

    def __getitem__(self, part: str) -> Any:
        if part == "text":
            return self.text
        if part != "image":
            raise KeyError(part)
        try:
            return self.file.image
        except BadSample as error:
            raise BadSample(self.name, str(error)) from error  # it is the sample that is to be left out

    def __iter__(self) -> Iterator[str]:
        return iter(("image", "text"))

    def __len__(self) -> int:
        return 2


class _Reader:
    """Sample by index. The latest image is held: its captions stand together, and it is decoded once for them."""

    def __init__(self, listed: Sequence[Captioned], background: str) -> None:
        self.listed, self.background = listed, background
        self.latest: _ImageFile | None = None

    def __call__(self, index: int) -> Sample:
        each = self.listed[index]
        if each.text is None:
            raise BadSample(str(each.image), "has no caption; write one, or move the image elsewhere")
        if not each.text.strip():
            raise BadSample(each.name, f"is an empty caption of {each.image}; write one, or remove it")
        if not each.image.is_file():
            fault = f"names the image {each.image}, which is not there; put it there, or {each.otherwise}"
            raise BadSample(each.name, fault)
        if self.latest is None or self.latest.path != each.image:
            self.latest = _ImageFile(each.image, self.background)
        return Sample(each.name, _Pair(each.name, self.latest, each.text.strip()))
