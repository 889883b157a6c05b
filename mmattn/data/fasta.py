"""Proteins (or other sequences) in FASTA files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from mmattn.data import files as paths
from mmattn.data.readers import read_fasta
from mmattn.data.source import Sample, Source, Split
from mmattn.errors import ConfigError


class Fasta(Source):
    r"""Sequences (`str`) with the letters of the file; which of them are residues is the tokenizer's business.

    Args:
        root: the folder of the files.
        files: by split, either a file name or file names by class, such as `{train: {toxin: a.fa, other: b.fa}}`.
        label: where `files` names no classes, a regular expression found in each header with a group `label`, such as
            `class=(?P<label>\w+)`. Without either, samples have no labels.

    Classes are in the order of `files.train`, or those of the training headers, sorted. Raises `ConfigError`, at the
    latest on the first `samples`, for a missing file, a class that training does not have and a header without a
    label, and `BadSample` for a file that is not FASTA.
    """

    def __init__(
        self, root: str | Path, files: Mapping[Split, str | Mapping[str, str] | None], label: str | None = None
    ) -> None:
        folder = paths.folder(root, "the FASTA files that data.files names")
        self._label = None if label is None else paths.expression("label", label, "label")
        self._paths: dict[str, dict[str | None, Path]] = {}
        for split, named in paths.by_split(files).items():
            by_class = dict(named) if isinstance(named, Mapping) else {None: named}
            self._paths[split] = {
                name: paths.file(folder / str(file), f"data.files.{split}" + (f".{name}" if name else ""))
                for name, file in by_class.items()
            }
        self._check_classes()

    def _check_classes(self) -> None:
        known = self._paths["train"]
        if self._label is not None and None not in known:
            raise ConfigError("data.label and data.files by class both give labels: leave one of them out.")
        for split, named in self._paths.items():
            for name in named:
                if (name is None) != (None in known):
                    raise ConfigError(f"data.files.{split} must name classes exactly where data.files.train does.")
                if name is not None and name not in known:
                    raise paths.unknown_label(name, f"data.files.{split}", [str(each) for each in known])

    @cached_property
    def classes(self) -> tuple[str, ...] | None:  # type: ignore[override]
        if self._label is not None:
            return paths.in_order(label for _, _, label in self._records("train") if label is not None)
        return tuple(name for name in self._paths["train"] if name is not None) or None

    def samples(self, split: Split) -> Sequence[Sample] | None:
        if split not in self._paths:
            return None
        classes = self.classes
        if classes is None:
            return [Sample(name, sequence) for name, sequence, _ in self._records(split)]
        numbers = {label: number for number, label in enumerate(classes)}
        out = []
        for name, sequence, label in self._records(split):
            if label not in numbers:
                raise paths.unknown_label(str(label), name, classes)
            out.append(Sample(name, sequence, numbers[label]))
        return out

    def _records(self, split: Split) -> list[tuple[str, str, str | None]]:
        """(name, sequence, label) of the records of a split."""
        out = []
        for label, path in self._paths[split].items():
            for number, (header, sequence) in enumerate(read_fasta(path), start=1):
                name = f"{path}, record {number} '{header}'"
                out.append((name, sequence, label if self._label is None else self._label_of(name, header)))
        return out

    def _label_of(self, name: str, header: str) -> str:
        match = self._label.search(header) if self._label is not None else None
        if match is None or match["label"] is None:
            pattern = self._label.pattern if self._label else None
            raise ConfigError(f"{name} does not match data.label='{pattern}': correct the pattern or the header.")
        return match["label"]
