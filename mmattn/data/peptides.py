"""Antimicrobial peptides against other proteins' fragments, as modlamp ships them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from mmattn.data.source import Sample, Source, Split
from mmattn.data.split import three_way
from mmattn.errors import ConfigError


class Peptides(Source):
    """Amino acid sequences (`str`); classes "other" (0) and "antimicrobial" (1).

    modlamp's `load_AMPvsUniProt` (APD3 peptides against UniProt sequences, 2,600 each; Müller et al., 2017). Every
    sequence is kept once: `duplicates_removed` counts the other copies. One that stands in both classes is kept as
    antimicrobial, for that label was measured and the other only assumed. The stratified split is cut by `seed`;
    similar sequences, other than equal ones, may be on both sides.
    """

    classes = ("other", "antimicrobial")

    def __init__(self, validation: float = 0.1, test: float = 0.2, seed: int = 0) -> None:
        self.validation, self.test, self.seed = validation, test, seed

    def samples(self, split: Split) -> Sequence[Sample]:
        return self._splits[split]

    @property
    def duplicates_removed(self) -> int:
        return len(self._records) - len(self._labels)

    @property
    def notes(self) -> tuple[str, ...]:
        both = len({s for s, label in self._records if label == 0} & {s for s, label in self._records if label == 1})
        return (
            f"{self.duplicates_removed} repeated sequences removed of {len(self._records)}; "
            f"{both} listed in both classes kept as '{self.classes[1]}'.",
        )

    @cached_property
    def _records(self) -> list[tuple[str, int]]:
        try:
            from modlamp.datasets import load_AMPvsUniProt
        except ImportError as error:
            raise ConfigError("data=peptides needs the package modlamp: pip install modlamp.") from error
        data = load_AMPvsUniProt()
        return [(str(sequence), int(label)) for sequence, label in zip(data.sequences, data.target, strict=True)]

    @cached_property
    def _labels(self) -> dict[str, int]:
        """Each distinct sequence with its label, in the order of the file."""
        labels: dict[str, int] = {}
        for sequence, label in self._records:
            labels[sequence] = max(label, labels.get(sequence, 0))
        return labels

    @cached_property
    def _splits(self) -> dict[str, list[Sample]]:
        all_samples = [Sample(f"peptides[{i}]", s, label) for i, (s, label) in enumerate(self._labels.items())]
        parts = three_way(list(self._labels.values()), self.validation, self.test, self.seed, self.classes)
        return {name: [all_samples[i] for i in indices] for name, indices in parts.items()}
