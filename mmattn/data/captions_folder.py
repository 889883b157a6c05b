"""Your own images with captions: a table beside them, or a text file beside each."""

from __future__ import annotations

from collections.abc import Iterator
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
    `dog.jpg`, with a caption on each line.

    Args:
        root: the folder.
        file_column, text_column: columns of the table.
        validation, seed: see `CaptionedFiles`; used where there is no validation folder.
        background: the colour behind images that are transparent in part, such as icons.

    Raises `ConfigError`, when made, for a folder or column that is missing, two tables, no image, or no colour.
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
        folders = files.split_folders(self.root)
        listed = {split: list(self._captions(folder)) for split, folder in folders.items()}
        super().__init__(listed, validation, seed, background)

    def _captions(self, folder: Path) -> Iterator[Captioned]:
        images, _ = files.find(folder, SUFFIXES, "image")
        tables = [folder / name for name in TABLES if (folder / name).is_file()]
        if len(tables) > 1:
            raise ConfigError(f"{folder} holds {tables[0].name} and {tables[1].name}: keep one of them.")
        captions = list(self._rows(tables[0]) if tables else _texts_beside(folder))
        known = {each.image for each in captions}
        yield from captions
        for image in images:
            if image not in known:
                yield Captioned(str(image), image, None)

    def _rows(self, table: Path) -> Iterator[Captioned]:
        """Captions of a table, those of one image together."""
        found: dict[Path, list[Captioned]] = {}
        for row in read_rows(table, [self.file_column, self.text_column]):
            file, text = row.values[self.file_column], row.values[self.text_column]
            if not isinstance(file, str) or not file.strip():
                raise BadSample(row.name, f"column '{self.file_column}' names no file: give the path of the image")
            image = table.parent / file.strip()
            texts = text if isinstance(text, list) else [text]
            for number, each in enumerate(texts, start=1):
                name = row.name if len(texts) == 1 else f"{row.name}, caption {number}"
                if each is not None and not isinstance(each, str):
                    raise BadSample(name, f"column '{self.text_column}' holds {each!r}, which is no text")
                found.setdefault(image, []).append(Captioned(name, image, each or ""))
        yield from (each for captions in found.values() for each in captions)


def _texts_beside(folder: Path) -> Iterator[Captioned]:
    """Captions of the text files below a folder, each of the image of its name."""
    for path in sorted(folder.rglob("*.txt")):
        images = [path.with_suffix(suffix) for suffix in SUFFIXES if path.with_suffix(suffix).is_file()]
        if len(images) > 1:
            raise ConfigError(f"{path} stands beside {images[0].name} and {images[1].name}: rename one of them.")
        image = images[0] if images else path.with_suffix(".png")
        lines = [line for line in read_text(path).splitlines() if line.strip()] or [""]
        for number, line in enumerate(lines, start=1):
            yield Captioned(f"{path}, line {number}" if len(lines) > 1 else str(path), image, line)
