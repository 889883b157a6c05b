"""Any dataset of the Hugging Face `datasets` package: texts, images, sounds, or several of them together."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import soundfile
import torch

from mmattn.data import files
from mmattn.data.readers import Waveform, read_audio
from mmattn.data.source import SPLITS, Lazy, Sample, Source, Split
from mmattn.errors import BadSample, ConfigError, nearest


class HuggingFace(Source):
    """Texts (`str`), PIL images or `Waveform`s, read when asked for; of several columns a dict of them by kind, such as
    `{"image": an image, "text": its caption}`.

    Args:
        root: a dataset's name on the Hub, which is downloaded ("stanfordnlp/imdb"), or a local folder: one that
            `save_to_disk` wrote, or one of data files that `load_dataset` reads.
        subset: the configuration of a dataset that has several ("sst2" of "nyu-mll/glue").
        text_column, image_column, audio_column: one of them, or several.
        label_column: class labels, numbers or names, or lists of them (several classes a sample); None for samples
            without labels.
        splits: the dataset's own name by split; None takes those called train, validation and test.

    A split whose labels are all -1 (hidden, as in GLUE's tests) counts as not there; `notes` says so. Raises
    `ConfigError`, when made, for a missing package, dataset, split or column.
    """

    def __init__(
        self,
        root: str | Path,
        subset: str | None = None,
        text_column: str | None = None,
        image_column: str | None = None,
        audio_column: str | None = None,
        label_column: str | None = "label",
        splits: Mapping[Split, str] | None = None,
    ) -> None:
        columns = {"text": text_column, "image": image_column, "audio": audio_column}
        self.columns = {kind: column for kind, column in columns.items() if column is not None}
        if not self.columns:
            raise ConfigError("Set data.text_column, data.image_column or data.audio_column, or several of them.")
        self.root, self.label_column = str(root), label_column
        loaded = _load(self.root, subset)
        self._data: dict[str, Any] = {}
        for split, name in (splits or {split: split for split in SPLITS if split in loaded}).items():
            if name not in loaded:
                raise ConfigError(f"{root} has no split '{name}', only {_listed(loaded)}.{nearest(name, loaded)}")
            self._data[split] = self._checked(loaded[name])
        if "train" not in self._data:
            raise ConfigError(
                f"{root} has no split 'train', only {_listed(loaded)}: set data.splits.train to one of them."
            )
        self._hidden = [split for split in self._data if split != "train" and self._is_hidden(split)]

    @cached_property
    def classes(self) -> tuple[str, ...] | None:  # type: ignore[override]
        if self.label_column is None:
            return None
        names = self._class_names()
        return tuple(names) if names else files.in_order(str(x) for x in _flat(self._data["train"][self.label_column]))

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(
            f"The {split} split of {self.root} is not used, for its labels are hidden (-1)." for split in self._hidden
        )

    def samples(self, split: Split) -> Sequence[Sample] | None:
        if split not in self._data or split in self._hidden:
            return None
        labels = self._labels(split)
        data = self._data[split].select_columns(list(dict.fromkeys(self.columns.values())))
        return Lazy(len(data), partial(_read, f"{self.root}.{split}", data, self.columns, labels), labels)

    def _class_names(self) -> list[str] | None:
        """Names that the dataset itself gives to the numbers of its labels."""
        feature = self._data["train"].features[self.label_column]
        return getattr(getattr(feature, "feature", feature), "names", None)  # that of a list's elements

    def _labels(self, split: Split) -> list[Any] | None:
        if self.classes is None or self.label_column is None:
            return None
        named = bool(self._class_names())
        numbers: dict[Any, int] = {i if named else name: i for i, name in enumerate(self.classes)}

        def number(label: Any, index: int) -> int:
            key = label if named else str(label)
            if key not in numbers:
                raise files.unknown_label(str(label), f"{self.root}.{split}[{index}]", self.classes or ())
            return numbers[key]

        return [
            [number(each, index) for each in label] if isinstance(label, list) else number(label, index)
            for index, label in enumerate(self._data[split][self.label_column])
        ]

    def _is_hidden(self, split: str) -> bool:
        return self.label_column is not None and set(_flat(self._data[split][self.label_column])) == {-1}

    def _checked(self, data: Any) -> Any:
        for kind, column in (*self.columns.items(), ("label", self.label_column)):
            if column is not None and column not in data.column_names:
                raise ConfigError(
                    f"data.{kind}_column='{column}' is no column of {self.root}, "
                    f"which has {_listed(data.column_names)}.{nearest(column, data.column_names)}"
                )
        if "audio" in self.columns:
            from datasets import Audio

            return data.cast_column(
                self.columns["audio"], Audio(decode=False)
            )  # soundfile decodes: no torchcodec needed
        return data


def _flat(labels: Iterable[Any]) -> Iterator[Any]:
    """Single labels, those of lists too."""
    for label in labels:
        yield from label if isinstance(label, list) else [label]


def _load(root: str, subset: str | None) -> Mapping[str, Any]:
    try:
        import datasets
    except ImportError as error:
        raise ConfigError("data=hugging_face needs the package datasets: pip install 'mmattn[datasets]'.") from error
    path = Path(root).expanduser()
    try:
        saved = any((path / name).is_file() for name in ("dataset_dict.json", "state.json"))
        loaded = (
            datasets.load_from_disk(str(path))
            if saved
            else datasets.load_dataset(str(path) if path.is_dir() else root, subset)
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise ConfigError(f"data.root={root} cannot be loaded; check the name and data.subset ({error})") from error
    return loaded if isinstance(loaded, Mapping) else {"train": loaded}


def _read(name: str, data: Any, columns: Mapping[str, str], labels: Sequence[Any] | None, index: int) -> Sample:
    name, row = f"{name}[{index}]", data[index]
    parts = {kind: _part(name, kind, column, row[column]) for kind, column in columns.items()}
    value = parts if len(parts) > 1 else next(iter(parts.values()))
    return Sample(name, value, None if labels is None else labels[index])


def _part(name: str, kind: str, column: str, value: Any) -> Any:
    if value is None or value == "":
        raise BadSample(name, f"column '{column}' is empty")
    return _decode(name, value) if kind == "audio" else value


def _decode(name: str, stored: Mapping[str, Any]) -> Waveform:
    if stored["bytes"] is None:
        return read_audio(Path(stored["path"]))
    try:
        samples, rate = soundfile.read(io.BytesIO(stored["bytes"]), dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise BadSample(name, f"is not a readable sound file ({error})") from error
    return Waveform(torch.from_numpy(samples.T.copy()), rate)


def _listed(names: Any) -> str:
    return ", ".join(f"'{name}'" for name in names)
