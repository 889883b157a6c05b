"""MNIST in its own file format, where torchvision puts it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy
from PIL import Image

from mmattn.data import files
from mmattn.data.source import Lazy, Sample, Source, Split
from mmattn.errors import BadSample, ConfigError

PREFIXES = {"train": "train", "test": "t10k"}


class Mnist(Source):
    """PIL images of mode "L", 28 × 28; labels 0–9; 60,000 to train on and 10,000 to test, no validation split.

    `root` is the one of `torchvision.datasets.MNIST`: the files, gzipped or not, are in `root/MNIST/raw`. `folder`
    names data of the same format instead ("FashionMNIST", "KMNIST"). `download=True` lets torchvision fetch them first.

    Raises `ConfigError`, when made, for missing files, and `BadSample` for a file that is cut short or of another
    format.
    """

    classes = tuple("0123456789")

    def __init__(self, root: str | Path, download: bool = False, folder: str = "MNIST") -> None:
        if download:
            import torchvision.datasets

            getattr(torchvision.datasets, folder)(str(Path(root).expanduser()), download=True)
        self.raw = (
            files.folder(root, f"{folder}/raw with the idx files; data.download=true fetches them") / folder / "raw"
        )
        self._paths = {
            split: (self._path(f"{prefix}-images-idx3-ubyte"), self._path(f"{prefix}-labels-idx1-ubyte"))
            for split, prefix in PREFIXES.items()
        }

    def samples(self, split: Split) -> Sequence[Sample] | None:
        if split not in self._paths:
            return None
        images, labels = (read_idx(path) for path in self._paths[split])
        if len(images) != len(labels):
            raise BadSample(str(self._paths[split][1]), f"holds {len(labels)} labels for {len(images)} images")
        names = [int(label) for label in labels]
        return Lazy(len(names), partial(_read, f"{self.raw.parent.name.lower()}.{split}", images, names), names)

    def _path(self, name: str) -> Path:
        for path in (self.raw / name, self.raw / f"{name}.gz"):
            if path.is_file():
                return path
        raise ConfigError(f"{self.raw / name} is missing (gzipped or not): put it there, or set data.download=true.")


def read_idx(path: Path) -> numpy.ndarray:
    """An array of bytes in the idx format: two zero bytes, type, number of axes, sizes (big-endian int32), values."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise BadSample(str(path), f"cannot be read ({error})") from error
    axes = content[3] if len(content) >= 4 else 0
    start = 4 + 4 * axes
    if content[:3] != b"\x00\x00\x08" or len(content) < start:
        raise BadSample(str(path), "is not an idx file of bytes; fetch it again with data.download=true")
    shape = tuple(int(size) for size in numpy.frombuffer(content, ">i4", axes, 4))
    if len(content) - start != numpy.prod(shape, dtype=int):
        raise BadSample(str(path), f"holds {len(content) - start} values where its header says {shape}; fetch it again")
    return numpy.frombuffer(content, numpy.uint8, offset=start).reshape(shape)


def _read(name: str, images: numpy.ndarray, labels: Sequence[int], index: int) -> Sample:
    return Sample(f"{name}[{index}]", Image.fromarray(images[index]), labels[index])
