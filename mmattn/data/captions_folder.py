"""Your own images with captions: a table beside them, or a text file beside each."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mmattn.data import files
from mmattn.data.captioned_files import Captioned, CaptionedFiles
from mmattn.data.image_folder import SUFFIXES
from mmattn.data.readers import read_text
from mmattn.data.table_rows import read_rows
from mmattn.errors import BadSample, ConfigError

TABLES = ("captions.jsonl", "captions.csv", "captions.tsv", "captions.parquet")


class CaptionsFolder(CaptionedFiles):
    """Pairs of an image and a caption from a folder, or from folders `train`, `validation` and `test`.

    In each of them `captions.jsonl` or `captions.csv` has a row for each caption, with the image's path from there; in
    jsonl a row may hold a list of captions. Without such a table each image has a text beside it, `dog.txt` for
    `dog.jpg`, with a caption on each line. `notes` tell which files are not read.

    Args:
        root: the folder.
        file_column, text_column: columns of the table.
        validation, seed: see `CaptionedFiles`; used where there is no validation folder.
        background: the colour behind images that are transparent in part, such as icons.

    Raises `ConfigError`, when made, for a folder or column that is missing, two tables, no image, or no colour, and for
    an image or table beside the folders of splits.
    """

    def __init__(
        self,
        root: str | Path,
        file_column: str = "file",
        text_column: str = "text",
        validation: float = 0.1,
        seed: int = 0,
        background: str = "white",
    ) -> None:
        self.root = files.folder(root, f"images, and {TABLES[0]} or a .txt beside each image")
        self.file_column, self.text_column = file_column, text_column
        self._others, self._unread = Counter[str](), list[str]()
        folders = files.split_folders(self.root)
        if self.root not in folders.values():
            _refuse_loose(self.root, [folder.name for folder in folders.values()])
        listed = {split: list(self._captions(folder)) for split, folder in folders.items()}
        super().__init__(listed, validation, seed, background)

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self._unread, *files.left_out(self._others, "images"))

    def _captions(self, folder: Path) -> Iterator[Captioned]:
        images, others = files.find(folder, SUFFIXES, "image")
        tables = [folder / name for name in TABLES if (folder / name).is_file()]
        if len(tables) > 1:
            raise ConfigError(f"{folder} holds {tables[0].name} and {tables[1].name}: keep one of them.")
        texts = others.pop(".txt", 0)
        if tables and texts:
            self._unread.append(f"{tables[0]} holds the captions: {texts} .txt files are not read.")
        self._others += others - Counter(table.suffix for table in tables)
        captions = list(self._rows(tables[0], images) if tables else _texts_beside(folder, images))
        known = {each.image for each in captions}
        yield from captions
        for image in images:
            if image not in known:
                yield Captioned(str(image), image, None)

    def _rows(self, table: Path, images: Sequence[Path]) -> Iterator[Captioned]:
        """Captions of a table, those of one image together."""
        # Paths are compared however a row spells them. Links are not followed: each name of a file may have a caption.
        spelled: Mapping[str, Path] = {os.path.abspath(image): image for image in images}
        found: dict[Path, list[Captioned]] = {}
        for row in read_rows(table, [self.file_column, self.text_column]):
            file, text = row.values[self.file_column], row.values[self.text_column]
            if not isinstance(file, str) or not file.strip():
                raise BadSample(row.name, f"column '{self.file_column}' names no file: give the path of the image")
            image = table.parent / file.strip()
            image = spelled.get(os.path.abspath(image), image)
            texts = (text or [None]) if isinstance(text, list) else [text]
            for number, each in enumerate(texts, start=1):
                name = row.name if len(texts) == 1 else f"{row.name}, caption {number}"
                if each is not None and not isinstance(each, str):
                    raise BadSample(name, f"column '{self.text_column}' holds {each!r}, which is no text")
                found.setdefault(image, []).append(Captioned(name, image, each or ""))
        yield from (each for captions in found.values() for each in captions)


def _refuse_loose(root: Path, splits: Sequence[str]) -> None:
    for path in sorted(root.iterdir()):
        if path.name in TABLES:
            raise ConfigError(
                f"{path} stands beside the folders {', '.join(splits)}: give each of them a table of its own, with "
                "paths from there."
            )
        if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
            raise ConfigError(f"{path} stands beside the folders {', '.join(splits)}: move it into one of them.")


def _texts_beside(folder: Path, images: Sequence[Path]) -> Iterator[Captioned]:
    """Captions of the text files below a folder, each of the image of its name."""
    beside: dict[Path, list[Path]] = defaultdict(list)
    for image in images:
        beside[image.with_suffix("")].append(image)
    for path in files.visible(folder):
        if path.suffix.lower() != ".txt":
            continue
        found = beside.get(path.with_suffix(""), [])
        if len(found) > 1:
            raise ConfigError(f"{path} stands beside {found[0].name} and {found[1].name}: rename one of them.")
        image = found[0] if found else path.with_suffix(".png")
        text = read_text(path).removeprefix("\ufeff")  # a byte order mark
        lines = [line for line in text.splitlines() if line.strip()] or [""]
        for number, line in enumerate(lines, start=1):
            name = f"{path}, line {number}" if len(lines) > 1 else str(path)
            yield Captioned(name, image, line, f"move {path.name} elsewhere")
