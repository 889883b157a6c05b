"""Files with a class each, read when they are asked for: what folders of images and of sounds share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mmattn.data import files
from mmattn.data.source import Lazy, Sample, Source, Split


class LabelledFiles(Source):
    """Samples named by their paths.

    Args:
        listed: the files of each split with the names of their classes.
        classes: names in order, those of the training files.
        read: gives the value of a file, and raises `BadSample` for a corrupt one.
        others, kind: how many files have which other suffix, and what the rest is ("images"): for `notes`.

    Raises `ConfigError`, when made, for a class that is not in `classes`.
    """

    def __init__(
        self,
        listed: Mapping[Split, Sequence[tuple[Path, str]]],
        classes: Sequence[str],
        read: Callable[[Path], Any],
        others: Counter[str],
        kind: str,
    ) -> None:
        self._classes, self._read, self._others, self._kind = tuple(classes), read, others, kind
        numbers = {name: number for number, name in enumerate(self._classes)}
        self._files: dict[Split, list[tuple[Path, int]]] = {}
        for split, named in listed.items():
            for path, name in named:
                if name not in numbers:
                    raise files.unknown_label(name, str(path), self._classes)
            self._files[split] = [(path, numbers[name]) for path, name in named]

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    @property
    def notes(self) -> tuple[str, ...]:
        return files.left_out(self._others, self._kind)

    def samples(self, split: Split) -> Sequence[Sample] | None:
        if split not in self._files:
            return None
        listed = self._files[split]
        return Lazy(len(listed), partial(_sample, self._read, listed), [label for _, label in listed])


def _sample(read: Callable[[Path], Any], listed: Sequence[tuple[Path, int]], index: int) -> Sample:
    path, label = listed[index]
    return Sample(str(path), read(path), label)
