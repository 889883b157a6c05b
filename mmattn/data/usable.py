"""Training samples as a tokenizer is fitted on them where bad ones are to be skipped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizer import Tokenizer


class Usable(Sequence[Sample]):
    """As many samples as there are, but in place of one that cannot be read the next one that can.

    A sample that comes twice changes neither a vocabulary nor a mean by much, and which ones cannot be read is not
    known without reading all.
    """

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.samples = samples
        self.left_out: set[str] = set()  # names
        self._bad: set[int] = set()

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        fault: BadSample | None = None
        for step in range(len(self)):
            place = (index + step) % len(self)
            if place in self._bad:
                continue
            try:
                sample = self.samples[place]
            except BadSample as error:
                fault = error
            else:
                if sample.name not in self.left_out:
                    return sample
            self._bad.add(place)
        raise ConfigError(f"No training sample can be used{f'; {fault}' if fault else ''}.")


def fit_on_usable(tokenizer: Tokenizer, samples: Sequence[Sample]) -> None:
    """Fit on what the source can read and the tokenizer can use; the others are named once the data are prepared."""
    usable = Usable(samples)
    while True:
        try:
            return tokenizer.fit(usable)
        except BadSample as error:
            if error.name in usable.left_out:
                raise
            usable.left_out.add(error.name)
