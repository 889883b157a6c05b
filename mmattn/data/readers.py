"""Files to raw values, one function a kind; each names the file and the fault when it cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import soundfile
import torch
from PIL import Image
from torch import Tensor

from mmattn.errors import BadSample


@dataclass(frozen=True)
class Waveform:
    """samples: float32 (channels, time) in [-1, 1]; rate in hertz."""

    samples: Tensor
    rate: int


def read_image(path: Path) -> Image.Image:
    """A decoded image (the whole file is read, so that a truncated one is noticed here).

    Raises `BadSample` for one that is unreadable, or larger than twice Pillow's `Image.MAX_IMAGE_PIXELS`.
    """
    try:
        with Image.open(path) as image:
            image.load()
            return image.copy()
    except Image.DecompressionBombError as error:
        raise BadSample(str(path), f"is too large an image ({error}); scale it down, or remove it") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise BadSample(str(path), f"is not a readable image ({error})") from error


def on_background(image: Image.Image, colour: str) -> Image.Image:
    """The image as it looks in front of a colour: in RGB where some of it may be transparent, else as it is.

    Converting a transparent image to RGB would show what its file happens to hold under it, mostly black.
    """
    if image.mode not in ("RGBA", "RGBa", "LA", "La", "PA") and "transparency" not in image.info:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, colour), image).convert("RGB")


def read_audio(path: Path) -> Waveform:
    """A decoded sound file of any format that libsndfile knows (wav, flac, ogg, mp3)."""
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise BadSample(str(path), f"is not a readable sound file ({error})") from error
    return Waveform(torch.from_numpy(samples.T.copy()), rate)


def read_text(path: Path) -> str:
    """A UTF-8 text file."""
    try:
        return path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError) as error:
        raise BadSample(str(path), f"is not a readable UTF-8 text file ({error})") from error


def read_fasta(path: Path) -> list[tuple[str, str]]:
    """(header without `>`, sequence) of each record, letters as they stand in the file, lines joined.

    Raises `BadSample` for text before the first header and for a record without a sequence.
    """
    records: list[tuple[str, list[str]]] = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        line = line.strip()
        if line.startswith(">"):
            records.append((line[1:].strip(), []))
        elif line and not line.startswith(";"):  # `;` opens a comment in old FASTA files
            if not records:
                raise BadSample(f"{path}, line {number}", "text before the first '>' header; is this a FASTA file?")
            records[-1][1].append("".join(line.split()))
    for header, lines in records:
        if not lines:
            raise BadSample(f"{path}, record '{header}'", "has a header and no sequence")
    if not records:
        raise BadSample(str(path), "holds no FASTA record")
    return [(header, "".join(lines)) for header, lines in records]
