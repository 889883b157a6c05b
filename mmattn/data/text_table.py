"""Texts in the rows of csv, tsv, jsonl or parquet files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from mmattn.data import files as paths
from mmattn.data.source import Sample, Source, Split
from mmattn.data.table_rows import Row, read_rows
from mmattn.errors import BadSample, ConfigError


class TextTable(Source):
    """Texts (`str`) as they stand in the file: "NA", "null" and white space are text.

    Args:
        root: the folder of the files.
        files: file name by split (`train`, `validation`, `test`); `.csv`, `.tsv`, `.jsonl` or `.parquet`.
        text_column, label_column: names of columns; without a label column (None) samples have no labels.
        classes: name by label, in the order of the classes, such as `{0: negative, 1: positive}`; None takes the labels
            of the training file, by number where all are whole numbers, else by alphabet.
        label_separator: what stands between the labels of a text that has several, such as ";" in "sport;politics"; an
            empty field is a text without any. Lists in jsonl and parquet files need none.
        quoted: whether double quotes enclose csv and tsv fields; None means in `.csv`, not in `.tsv`.

    Raises `ConfigError`, at the latest on the first `samples`, for a missing file or column and for a label that is not
    among the classes, and `BadSample` for a row without text or label, or with more or fewer fields than the header.
    """

    def __init__(
        self,
        root: str | Path,
        files: Mapping[Split, str | None],
        text_column: str = "text",
        label_column: str | None = "label",
        classes: Mapping[Any, str] | None = None,
        label_separator: str | None = None,
        quoted: bool | None = None,
    ) -> None:
        folder = paths.folder(root, "the files that data.files names")
        self._paths = {
            split: paths.file(folder / name, f"data.files.{split}") for split, name in paths.by_split(files).items()
        }
        if label_separator == "":
            raise ConfigError("data.label_separator is empty: give what stands between labels, such as ';', or null.")
        self.text_column, self.label_column, self.quoted = text_column, label_column, quoted
        self.label_separator = label_separator
        self._names = None if classes is None else {str(label): name for label, name in classes.items()}

    @cached_property
    def classes(self) -> tuple[str, ...] | None:  # type: ignore[override]
        return None if self._labels is None else tuple((self._names or {}).get(label, label) for label in self._labels)

    def samples(self, split: Split) -> Sequence[Sample] | None:
        if split not in self._paths:
            return None
        if self._labels is None:
            return [Sample(row.name, self._text(row)) for row in self._rows[split]]
        numbers = {label: number for number, label in enumerate(self._labels)}
        out = []
        for row in self._rows[split]:
            label = self._label(row)
            for each in label if isinstance(label, list) else [label]:
                if each not in numbers:
                    raise paths.unknown_label(each, row.name, self._labels)
            number = [numbers[each] for each in label] if isinstance(label, list) else numbers[label]
            out.append(Sample(row.name, self._text(row), number))
        return out

    @cached_property
    def _rows(self) -> dict[str, list[Row]]:
        columns = [self.text_column] + ([] if self.label_column is None else [self.label_column])
        return {split: read_rows(path, columns, self.quoted) for split, path in self._paths.items()}

    @cached_property
    def _labels(self) -> tuple[str, ...] | None:
        """The classes as they are written in the files."""
        if self.label_column is None:
            return None
        if self._names:
            return tuple(self._names)
        found = (self._label(row) for row in self._rows["train"])
        return paths.in_order(each for label in found for each in (label if isinstance(label, list) else [label]))

    def _text(self, row: Row) -> str:
        text = row.values[self.text_column]
        if not isinstance(text, str):
            raise BadSample(row.name, f"column '{self.text_column}' holds {text!r}, which is no text")
        if not text.strip():
            raise BadSample(row.name, f"column '{self.text_column}' is empty; remove the row or give it a text")
        return text

    def _label(self, row: Row) -> str | list[str]:
        """A label, or the distinct ones of a text that may have several."""
        label = row.values[self.label_column or ""]
        if self.label_separator is not None and isinstance(label, str):
            label = [each.strip() for each in label.split(self.label_separator) if each.strip()]
        if isinstance(label, list):
            return list(dict.fromkeys(map(str, label)))
        if label is None or label != label or not str(label).strip():  # NaN differs from itself
            raise BadSample(row.name, f"column '{self.label_column}' is empty; remove the row or give it a label")
        return str(label)
