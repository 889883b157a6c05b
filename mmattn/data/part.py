"""Some of another source's samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.utils import get_class

from mmattn.data.source import Sample, Source, Split
from mmattn.data.split import drawn, picked
from mmattn.errors import ConfigError
from mmattn.limits import check_seed, said, whole


class Part(Source):
    """So many samples of each split, drawn once in proportion to the classes and kept in their order; None: all.

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
        if not isinstance(source, Source):
            raise ConfigError(f"data.source={said(source)} is no source: choose one by data@data.source=NAME.")
        check_seed("data.seed", seed)
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
            raise ConfigError(
                f"data.{split}={size} is more than the {len(found):,} samples of the source's {split} split: give at "
                "most that, or null for all."
            )
        return picked(found, drawn(found, size, self.seed))


def whole_of(source: Any) -> Any:
    """What a part is of, or the source itself; either may be a config of one that is not made yet."""
    if isinstance(source, Part):
        return whole_of(source.source)
    if isinstance(source, Mapping) and issubclass(get_class(source["_target_"]), Part):
        return whole_of(source["source"])
    return source


def called(source: Source) -> str:
    """A source's name as runs tell it."""
    whole = whole_of(source)
    return type(whole).__name__ + ("" if whole is source else ", a part")
