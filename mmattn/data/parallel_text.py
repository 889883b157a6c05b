"""Texts in two languages, or of any two kinds, as two files a split whose lines belong together."""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations
from pathlib import Path

from mmattn.data import files as paths
from mmattn.data.source import Lazy, Sample, Source, Split
from mmattn.errors import BadSample, ConfigError

Lines = tuple[list[bytes], list[bytes]]
"""Of the source and of the target, as they stand in the files."""


class ParallelText(Source):
    """Pairs `{"source": a text, "target": a text}` without labels: line i of one file and line i of the other, outer
    white space left out.

    Args:
        root: the folder of the files.
        languages: how the files of the source end, and those of the target: `[de, en]` reads `train.de` and `train.en`.
        files: what stands in front of these by split, such as `{train: news.de-en}` for `news.de-en.de`; None reads
            `train`, `validation` (`valid`, `val`, `dev`) and `test`, of which the first must be there.

    Raises `ConfigError`, when made, for a missing file, one that is named twice, and two that have unlike numbers of
    lines; `BadSample`, when a sample is read, for a line that is empty or not UTF-8.
    """

    def __init__(
        self, root: str | Path, languages: Sequence[str], files: Mapping[Split, str | None] | None = None
    ) -> None:
        ends = [languages] if isinstance(languages, str) else list(languages)
        if len(ends) != 2 or ends[0] == ends[1] or not all(isinstance(end, str) for end in ends):
            said = ",".join(map(str, ends))
            raise ConfigError(f"data.languages=[{said}] must be two, of the source and the target: [de,en].")
        folder = paths.folder(root, f"train.{ends[0]} and train.{ends[1]}")
        stems = _stems(folder, ends) if files is None else paths.by_split(files)
        key = "data.languages" if files is None else "data.files"
        self._paths = {
            split: [paths.file(folder / f"{stem}.{end}", key) for end in ends] for split, stem in stems.items()
        }
        for one, other in combinations([path for pair in self._paths.values() for path in pair], 2):
            if one.samefile(other):
                raise ConfigError(f"{one} and {other} are one file: each side of each split has one of its own.")
        self._lines = {split: _read(source, target) for split, (source, target) in self._paths.items()}

    def samples(self, split: Split) -> Sequence[Sample] | None:
        if split not in self._lines:
            return None
        return Lazy(len(self._lines[split][0]), partial(_pair, self._paths[split], self._lines[split]))


def _stems(folder: Path, ends: Sequence[str]) -> dict[Split, str]:
    """What stands in front of the languages by split, of the files that are there; `train` in any case."""
    stems: dict[Split, str] = {}
    for stem, split in paths.SPLIT_FOLDERS.items():
        if any((folder / f"{stem}.{end}").is_file() for end in ends):
            if split in stems:
                raise ConfigError(f"{folder} holds '{stems[split]}' and '{stem}', both for {split}: keep one.")
            stems[split] = stem
    return {"train": "train", **stems}


def _read(source: Path, target: Path) -> Lines:
    lines = _lines_of(source), _lines_of(target)
    if len(lines[0]) != len(lines[1]):
        raise ConfigError(
            f"{source} has {len(lines[0])} lines and {target} {len(lines[1])}: line i of one belongs to line i of the "
            "other, so they must have as many."
        )
    if not lines[0]:
        raise ConfigError(f"{source} and {target} are empty: fill them.")
    return lines


def _lines_of(path: Path) -> list[bytes]:
    """By line feeds alone: texts may hold other line separators, which would shift the lines behind them."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadSample(str(path), f"cannot be read ({error})") from error
    lines = content.removeprefix(codecs.BOM_UTF8).split(b"\n")
    return lines if lines[-1] else lines[:-1]


def _pair(pair: Sequence[Path], lines: Lines, index: int) -> Sample:
    names = [f"{path}, line {index + 1}" for path in pair]
    texts = [_text(name, each[index]) for name, each in zip(names, lines, strict=True)]
    if not any(texts):
        raise BadSample(names[0], f"is empty, and so is that of {pair[1]}; remove both")
    for name, other, text in zip(names, reversed(pair), texts, strict=True):
        if not text:
            raise BadSample(name, f"is empty, and that of {other} is not; fill it, or remove both")
    return Sample(names[0], {"source": texts[0], "target": texts[1]})


def _text(name: str, line: bytes) -> str:
    try:
        return line.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise BadSample(name, f"is not UTF-8 ({error}); convert the file") from error
