"""Speech Commands: one-second spoken words, split by the dataset's own lists."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mmattn.data import files
from mmattn.data.readers import read_audio, read_text
from mmattn.data.source import SPLITS, Lazy, Sample, Source, Split
from mmattn.errors import ConfigError, nearest

LISTS: dict[Split, str] = {"validation": "validation_list.txt", "test": "testing_list.txt"}


class SpeechCommands(Source):
    """`Waveform`s of one channel at 16 kHz, read when asked for; the class is the word.

    `root` is the one of `torchaudio.datasets.SPEECHCOMMANDS`: words are folders in `root/SpeechCommands/VERSION`.
    `words` keeps only those (in that order); None keeps all, 35 in v0.02. Files in neither list train;
    `_background_noise_` is no word. Source: Warden (2018), arXiv:1804.03209.

    Raises `ConfigError`, when made, for a missing folder or list, an unknown word and a listed file that is not there.
    """

    def __init__(
        self,
        root: str | Path,
        words: Sequence[str] | None = None,
        version: str = "speech_commands_v0.02",
        download: bool = False,
    ) -> None:
        if download:
            from torchaudio.datasets import SPEECHCOMMANDS

            Path(root).expanduser().mkdir(parents=True, exist_ok=True)
            SPEECHCOMMANDS(str(Path(root).expanduser()), url=version, download=True)
        place = f"SpeechCommands/{version}"
        self.folder = files.folder(root, f"{place}; data.download=true fetches it") / place
        if not self.folder.is_dir():
            raise ConfigError(f"{self.folder} is missing: unpack the dataset there, or set data.download=true.")
        found = [path.name for path in files.subfolders(self.folder) if path.name != "_background_noise_"]
        for word in words or ():
            if word not in found:
                raise ConfigError(
                    f"data.words names '{word}', which {self.folder} does not hold.{nearest(word, found)}"
                )
        self._classes = tuple(words or found)
        self._skipped = [word for word in found if word not in self._classes]
        self._files = self._list()

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"{len(self._skipped)} words left out by data.words.",) if self._skipped else ()

    def samples(self, split: Split) -> Sequence[Sample]:
        listed = self._files[split]
        return Lazy(len(listed), partial(_read, listed), [label for _, label in listed])

    def _list(self) -> dict[Split, list[tuple[Path, int]]]:
        split_of: dict[str, Split] = {}
        for split, name in LISTS.items():
            path = self.folder / name
            if not path.is_file():
                raise ConfigError(f"{path} is missing: unpack the whole dataset, or set data.download=true.")
            split_of.update(dict.fromkeys(read_text(path).split(), split))
        listed: dict[Split, list[tuple[Path, int]]] = {split: [] for split in SPLITS}
        for label, word in enumerate(self._classes):
            paths, _ = files.find(self.folder / word, (".wav",), "sound")
            for path in paths:
                listed[split_of.pop(f"{word}/{path.name}", "train")].append((path, label))
        gone = [name for name in split_of if name.split("/")[0] in self._classes]
        if gone:
            raise ConfigError(f"{self.folder / gone[0]} is listed and missing: unpack the whole dataset again.")
        return listed


def _read(listed: Sequence[tuple[Path, int]], index: int) -> Sample:
    path, label = listed[index]
    return Sample(str(path), read_audio(path), label)
