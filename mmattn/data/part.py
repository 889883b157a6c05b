"""Some of another source's samples."""

from __future__ import annotations

import random
from collections.abc import Sequence

from mmattn.data.source import Sample, Source, Split
from mmattn.data.split import picked
from mmattn.errors import ConfigError
from mmattn.limits import whole


class Part(Source):
    """So many samples of each split, drawn once and kept in their order; None: all.

    Args:
        source: whose samples they are.
        train, validation, test: samples of each split.
        seed: of the draw.
    """

    def __init__(
        self,
        source: Source,
        train: int | None = None,
        validation: int | None = None,
        test: int | None = None,
        seed: int = 0,
    ) -> None:
        self.source, self.seed = source, seed
        self.sizes = {"train": train, "validation": validation, "test": test}
        for split, size in self.sizes.items():
            if size is not None:
                whole(f"data.{split}", size, 1)

    @property
    def classes(self) -> tuple[str, ...] | None:
        return self.source.classes

    @property
    def notes(self) -> tuple[str, ...]:
        return self.source.notes

    @property
    def prompts(self) -> tuple[str, ...]:
        return self.source.prompts

    def unusual(self, prompt: str) -> str:
        return self.source.unusual(prompt)

    def samples(self, split: Split) -> Sequence[Sample] | None:
        """Raises `ConfigError` for more samples than the split has."""
        found, size = self.source.samples(split), self.sizes[split]
        if size is None:
            return found
        if found is None:
            more = "; loader.validation_fraction cuts one off the training's" if split == "validation" else ""
            raise ConfigError(f"data.{split}={size}: the source has no such split{more}. Leave it null.")
        if size > len(found):
            raise ConfigError(f"data.{split}={size} is more than the {len(found):,} samples that the source has.")
        drawn = random.Random(f"{self.seed}/{split}").sample(range(len(found)), size)
        return picked(found, sorted(drawn))
