"""Sound files below a folder, labelled by their folder or by a pattern over their names."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from mmattn.data import files
from mmattn.data.labelled_files import LabelledFiles
from mmattn.data.readers import read_audio
from mmattn.data.source import Split
from mmattn.errors import ConfigError

SUFFIXES = (".flac", ".mp3", ".ogg", ".wav")


class AudioFolder(LabelledFiles):
    r"""`Waveform`s as the file has them (rate and channels), read when asked for.

    Args:
        root: where the files are, at any depth; folders `train`, `validation` (or `valid`, `val`,
            `dev`) and `test` are splits.
        label: a regular expression over the whole file name with a group `label`, such as `(?P<label>\d)_.*`;
            None takes the name of the folder that holds the file.
        validation, test: regular expressions over the whole file name: matching files make that split, the rest trains.

    Raises `ConfigError`, when made, for a missing or empty folder, a pattern that is not one or matches nothing, a file
    whose name does not match `label`, and a class without training files; `BadSample`, on reading, for a corrupt file.
    """

    def __init__(
        self,
        root: str | Path,
        label: str | None = None,
        validation: str | None = None,
        test: str | None = None,
    ) -> None:
        self.root = files.folder(root, "sound files (wav, flac, ogg, mp3)")
        self._label = None if label is None else files.expression("label", label, "label")
        others: Counter[str] = Counter()
        found = self._by_split({"validation": validation, "test": test}, others)
        listed = {split: [(path, self._label_of(path)) for path in paths] for split, paths in found.items()}
        classes = files.in_order(name for _, name in listed["train"])
        super().__init__(listed, classes, read_audio, others, "sound files")

    def _by_split(self, patterns: dict[Split, str | None], others: Counter[str]) -> dict[Split, list[Path]]:
        """The files of each split; `others` counts the files that are no sounds."""
        found: dict[Split, list[Path]] = {}
        for split, place in files.split_folders(self.root).items():
            found[split], rest = files.find(place, SUFFIXES, "sound")
            others += rest
        for split, pattern in patterns.items():
            if pattern is None:
                continue
            if split in found:
                raise ConfigError(f"{self.root} has a {split} folder: leave data.{split} unset.")
            compiled = files.expression(split, pattern)
            found[split] = [path for path in found["train"] if compiled.fullmatch(path.name)]
            found["train"] = [path for path in found["train"] if not compiled.fullmatch(path.name)]
            for part in (split, "train"):
                if not found[part]:
                    raise ConfigError(
                        f"data.{split}='{pattern}' leaves no file for {part}: the pattern is matched against whole "
                        f"file names such as '{next(path.name for path in found[split] + found['train'])}'."
                    )
        return found

    def _label_of(self, path: Path) -> str:
        if self._label is None:
            if path.parent == self.root:
                raise ConfigError(
                    f"{path} is in no class folder: move it into one named after its class, or set data.label "
                    "to a regular expression over file names."
                )
            return path.parent.name
        match = self._label.fullmatch(path.name)
        if match is None or match["label"] is None:
            raise ConfigError(
                f"The name of {path} does not match data.label='{self._label.pattern}': correct the pattern, or "
                "move the file elsewhere."
            )
        return match["label"]
