"""Plain text files for language models, cut into contiguous splits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from mmattn.data import files
from mmattn.data.readers import read_text
from mmattn.data.source import Sample, Source, Split
from mmattn.errors import BadSample, ConfigError


class Corpus(Source):
    """Documents (`str`) without labels: a text file each, in the order of their paths.

    The last `test_fraction` of all characters is for testing and the `validation_fraction` before it for validation;
    a document across a border is cut there. A fraction of 0 means no such split. `root` is a file, or a folder whose
    files match `pattern` (`**/*.txt` looks deeper).

    Raises `ConfigError`, when made, for a missing file or folder, a pattern that matches nothing and fractions that
    leave nothing to train on, and `BadSample`, on the first `samples`, for a file that is empty or not UTF-8.
    """

    def __init__(
        self, root: str | Path, pattern: str = "*.txt", validation_fraction: float = 0.1, test_fraction: float = 0.0
    ) -> None:
        if min(validation_fraction, test_fraction) < 0 or validation_fraction + test_fraction >= 1:
            raise ConfigError(
                f"data.validation_fraction={validation_fraction} and data.test_fraction={test_fraction} leave nothing "
                "to train on: they must not be negative, and their sum must be less than 1."
            )
        self.validation_fraction, self.test_fraction = validation_fraction, test_fraction
        path = Path(root).expanduser()
        self.paths = [path] if path.is_file() else sorted(files.folder(root, "text files").glob(pattern))
        self.paths = [each for each in self.paths if each.is_file()]
        if not self.paths:
            raise ConfigError(f"data.root={root} holds no file that matches data.pattern='{pattern}': correct either.")

    def samples(self, split: Split) -> Sequence[Sample] | None:
        total = sum(map(len, self._texts))
        ends = {
            "train": int(total * (1 - self.validation_fraction - self.test_fraction)),
            "validation": int(total * (1 - self.test_fraction)),
            "test": total,
        }
        starts = {"train": 0, "validation": ends["train"], "test": ends["validation"]}
        if starts[split] == ends[split]:
            return None
        return self._between(starts[split], ends[split])

    @cached_property
    def _texts(self) -> list[str]:
        texts = [read_text(path) for path in self.paths]
        for path, text in zip(self.paths, texts, strict=True):
            if not text.strip():
                raise BadSample(str(path), "is empty; remove it or give it a text")
        return texts

    def _between(self, start: int, end: int) -> list[Sample]:
        out = []
        offset = 0
        for path, text in zip(self.paths, self._texts, strict=True):
            low, high = max(start - offset, 0), min(end - offset, len(text))
            if low < high:
                out.append(Sample(f"{path}, characters {low} to {high}", text[low:high]))
            offset += len(text)
        return out
