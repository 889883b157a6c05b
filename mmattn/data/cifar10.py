"""CIFAR-10 through torchvision, which checks the files' sums before it unpickles them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from mmattn.data.source import Lazy, Sample, Source, Split
from mmattn.errors import ConfigError


class Cifar10(Source):
    """PIL images of mode "RGB", 32 × 32; ten classes; 50,000 to train on and 10,000 to test, no validation split.

    `root` is the one of `torchvision.datasets.CIFAR10`. Raises `ConfigError`, when made, where the files are missing or
    do not have their official sums. Source: Krizhevsky (2009).
    """

    classes = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

    def __init__(self, root: str | Path, download: bool = False) -> None:
        from torchvision.datasets import CIFAR10

        path = Path(root).expanduser()
        try:
            self._data = {
                split: CIFAR10(str(path), train=split == "train", download=download) for split in ("train", "test")
            }
        except RuntimeError as error:
            raise ConfigError(
                f"data.root={root}: the CIFAR-10 files are missing or damaged; put the folder cifar-10-batches-py into "
                f"{path.absolute()}, or set data.download=true ({error})"
            ) from error

    def samples(self, split: Split) -> Sequence[Sample] | None:
        if split not in self._data:
            return None
        data = self._data[split]
        labels = [int(label) for label in data.targets]
        return Lazy(len(labels), partial(_read, split, data.data, labels), labels)


def _read(split: str, images: Any, labels: Sequence[int], index: int) -> Sample:
    return Sample(f"cifar10.{split}[{index}]", Image.fromarray(images[index]), labels[index])
