"""Data that is already in memory, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from mmattn.data import files
from mmattn.data.source import Lazy, Sample, Source, Split
from mmattn.errors import ConfigError

Part = tuple[Sequence[Any], Sequence[Any] | None]


class Arrays(Source):
    """Values and labels of the user's own: `Arrays(train=(texts, labels), test=(more_texts, more_labels))`.

    Values are anything indexable that the tokenizer reads one by one: texts, PIL images, `Waveform`s, rows of an array.
    A label is a class, by name (`str`) or by number; a list of classes, where a sample has several; a row of booleans,
    one a class, for the same; a list with a class for each unit of the value (character, residue), None or -1 where
    it has none; or None. `classes` names them; without it they are the training labels, sorted, or "0", "1", … up to
    the greatest number.

    Raises `ConfigError`, when made, for values and labels of different lengths and for labels outside the classes.
    """

    def __init__(
        self,
        train: Part,
        validation: Part | None = None,
        test: Part | None = None,
        classes: Sequence[str] | None = None,
    ) -> None:
        parts = {"train": train, "validation": validation, "test": test}
        self._values: dict[str, Sequence[Any]] = {}
        labels: dict[str, list[Any] | None] = {}
        for split, part in parts.items():
            if part is None:
                continue
            values, given = part
            if given is not None and len(given) != len(values):
                raise ConfigError(f"{split} has {len(values)} values and {len(given)} labels: give one label a value.")
            if len(values) == 0:
                raise ConfigError(f"{split} has no values: give some, or leave it out.")
            self._values[split] = values
            labels[split] = None if given is None else [_plain(label) for label in given]
        self._classes = tuple(classes) if classes is not None else _classes(labels["train"])
        self._labels = {
            split: None if given is None else [self._number(split, i, label) for i, label in enumerate(given)]
            for split, given in labels.items()
        }

    @property
    def classes(self) -> tuple[str, ...] | None:
        return self._classes

    def samples(self, split: Split) -> Sequence[Sample] | None:
        if split not in self._values:
            return None
        labels = self._labels[split]
        return Lazy(len(self._values[split]), partial(_read, split, self._values[split], labels), labels)

    def _number(self, split: str, index: int, label: Any) -> Any:
        classes = self._classes or ()
        if _is_row(label):
            if len(label) != len(classes):
                raise ConfigError(
                    f"{split}[{index}] has {len(label)} booleans for {len(classes)} classes: give one a class."
                )
            return [number for number, is_so in enumerate(label) if is_so]
        if isinstance(label, list):
            return [None if each == -1 else self._number(split, index, each) for each in label]
        if label is None:
            return None
        if isinstance(label, str):
            if label not in classes:
                raise files.unknown_label(label, f"{split}[{index}]", classes)
            return classes.index(label)
        if type(label) is not int:
            raise ConfigError(f"{split}[{index}] has the label {label!r}: labels are class names or whole numbers.")
        if not 0 <= label < len(classes):
            raise files.unknown_label(str(label), f"{split}[{index}]", [str(number) for number in range(len(classes))])
        return label


def _plain(label: Any) -> Any:
    """numpy's and torch's numbers and arrays as Python's."""
    if hasattr(label, "tolist"):
        label = label.tolist()
    return [_plain(each) for each in label] if isinstance(label, list | tuple) else label


def _is_row(label: Any) -> bool:
    """Whether a label is a row of booleans, one a class."""
    return isinstance(label, list) and bool(label) and all(type(each) is bool for each in label)


def _classes(labels: Sequence[Any] | None) -> tuple[str, ...] | None:
    flat = [each for label in labels or () for each in (label if isinstance(label, list) else [label])]
    names = [label for label in flat if isinstance(label, str)]
    numbers = [label for label in flat if type(label) is int] + [len(row) - 1 for row in labels or () if _is_row(row)]
    if names and numbers:
        raise ConfigError(f"The labels hold names ('{names[0]}') and numbers ({numbers[0]}): use one kind.")
    if names:
        return files.in_order(names)
    return tuple(str(number) for number in range(max(numbers) + 1)) if numbers else None


def _read(split: str, values: Sequence[Any], labels: Sequence[Any] | None, index: int) -> Sample:
    return Sample(f"{split}[{index}]", values[index], None if labels is None else labels[index])
