"""Image files in one folder a class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mmattn.data import files
from mmattn.data.readers import read_image
from mmattn.data.source import Lazy, Sample, Source, Split
from mmattn.errors import ConfigError

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


class ImageFolder(Source):
    """PIL images as the file has them (no conversion), read when asked for; the class is the folder's name.

    `root/CLASS/…` has no official split (the data module cuts one); `root/train/CLASS/…` beside `validation` (`valid`,
    `val`, `dev`) and `test` has those. Classes are in alphabetical order, as in torchvision's `ImageFolder`.

    Raises `ConfigError`, when made, for a folder that is missing or empty and for a class that training does not have,
    and `BadSample`, when a sample is read, for a corrupt file.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = files.folder(root, "one folder of images a class, or train, validation and test folders of those")
        self._files: dict[str, list[tuple[Path, int]]] = {}
        self._others: Counter[str] = Counter()
        self._classes: tuple[str, ...] = ()
        splits = files.split_folders(self.root)
        for split in sorted(splits, key=lambda split: split != "train"):
            self._files[split] = self._list(splits[split], split == "train")

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    @property
    def notes(self) -> tuple[str, ...]:
        return files.left_out(self._others, "images")

    def samples(self, split: Split) -> Sequence[Sample] | None:
        if split not in self._files:
            return None
        listed = self._files[split]
        return Lazy(len(listed), partial(_read, listed), [label for _, label in listed])

    def _list(self, root: Path, is_train: bool) -> list[tuple[Path, int]]:
        folders = files.subfolders(root)
        if not folders:
            raise ConfigError(f"{root} holds no folders: put the images into one folder a class, named after it.")
        if loose := [path for path in root.iterdir() if path.suffix.lower() in SUFFIXES]:
            raise ConfigError(f"{loose[0]} is in no class: move it into one of the folders beside it.")
        if is_train:
            self._classes = tuple(folder.name for folder in folders)
        listed = []
        for folder in folders:
            if folder.name not in self._classes:
                raise files.unknown_label(folder.name, str(folder), self._classes)
            found, others = files.find(folder, SUFFIXES, "image")
            listed += [(path, self._classes.index(folder.name)) for path in found]
            self._others += others
        return listed


def _read(listed: Sequence[tuple[Path, int]], index: int) -> Sample:
    path, label = listed[index]
    return Sample(str(path), read_image(path), label)
