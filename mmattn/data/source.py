"""The data source contract: raw samples by split, with names for error messages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Sample:
    """A raw sample.

    name: where it came from (a path, a row of a file): what an error message shows.
    value: what a tokenizer's `prepare` reads: `str`, a PIL image, `Waveform`, an array, …, or a mapping of several such
        by name, which may read each when it is asked for.
    label: an index into the source's `classes` (int); a list of them (several classes); a list with one, or None, for
        each unit of the value (character, residue); or None.
    """

    name: str
    value: Any
    label: Any = None


@dataclass(frozen=True)
class Lazy(Sequence[Sample]):
    """Samples that are read when they are asked for: `read(i)` gives sample i of `size`; labels are known beforehand.

    `read` should be picklable (a bound method or a `partial`, not a closure): data loader workers may be spawned.
    """

    size: int
    read: Callable[[int], Sample]
    labels: Sequence[Any] | None = None

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.size))]
        if not 0 <= index < self.size:
            raise IndexError(index)
        return self.read(index)


class Source(ABC):
    """Raw samples by index. Needs no download by default; every split is deterministic.

    `classes`: names of the labels in order, None where samples have none (or are named by the text itself).
    `notes`: what a run should say about its data, a sentence each: duplicates removed, files left out.
    `prompts`: what may be asked of a model that makes such samples of texts, to watch how it learns.
    """

    @property
    def classes(self) -> tuple[str, ...] | None:
        return None

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    @property
    def prompts(self) -> tuple[str, ...]:
        return ()

    def unusual(self, prompt: str) -> str:
        """What in a prompt no sample of these data asks for, a sentence; empty where nothing is, or none can tell.

        Answered without reading files.
        """
        return ""

    @abstractmethod
    def samples(self, split: Split) -> Sequence[Sample] | None:
        """The samples of an official split; None where the source has no such split (the data module then cuts one).

        Raises `BadSample` for a file that cannot be read and `ConfigError` for one that is not there.
        """
