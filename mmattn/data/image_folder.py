"""Image files in one folder a class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mmattn.data import files
from mmattn.data.labelled_files import LabelledFiles
from mmattn.data.readers import read_image
from mmattn.errors import ConfigError

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


class ImageFolder(LabelledFiles):
    """PIL images as the file has them (no conversion), read when asked for; the class is the folder's name.

    `root/CLASS/…` has no official split (the data module cuts one); `root/train/CLASS/…` beside `validation` (`valid`,
    `val`, `dev`) and `test` has those. Classes are in alphabetical order, as in torchvision's `ImageFolder`.

    Raises `ConfigError`, when made, for a folder that is missing or empty and for a class that training does not have,
    and `BadSample`, when a sample is read, for a corrupt file.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = files.folder(root, "one folder of images a class, or train, validation and test folders of those")
        others: Counter[str] = Counter()
        folders = {split: _class_folders(place) for split, place in files.split_folders(self.root).items()}
        listed = {split: _images(each, others) for split, each in folders.items()}
        classes = [folder.name for folder in folders["train"]]
        super().__init__(listed, classes, read_image, others, "images")


def _class_folders(root: Path) -> list[Path]:
    folders = files.subfolders(root)
    if not folders:
        raise ConfigError(f"{root} holds no folders: put the images into one folder a class, named after it.")
    if loose := [path for path in root.iterdir() if path.suffix.lower() in SUFFIXES]:
        raise ConfigError(f"{loose[0]} is in no class: move it into one of the folders beside it.")
    return folders


def _images(folders: Sequence[Path], others: Counter[str]) -> list[tuple[Path, str]]:
    """Images with the names of their folders; `others` counts the files that are none."""
    listed = []
    for folder in folders:
        found, rest = files.find(folder, SUFFIXES, "image")
        listed += [(path, folder.name) for path in found]
        others += rest
    return listed
