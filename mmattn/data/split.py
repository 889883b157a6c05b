"""Cutting a part off a sequence of samples: deterministic, and in proportion to the classes."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Sequence
from functools import partial
from typing import Any

from mmattn.data.source import Lazy, Sample
from mmattn.errors import ConfigError


def cut(
    samples: Sequence[Sample], fraction: float, seed: int = 0, classes: Sequence[str] | None = None
) -> tuple[list[int], list[int]]:
    """Indices of the rest and of the part cut off (about `fraction` of the samples), both ascending and never empty.

    Samples whose labels are all ints are cut class by class, at least one of each on either side. `classes` only names
    them in errors. Raises `ConfigError` for a fraction outside (0, 1) and for a class (or a source) of one sample.
    """
    return cut_groups(_groups(samples), fraction, seed, classes)


def known_labels(samples: Sequence[Sample]) -> list[Any] | None:
    """The labels, without decoding files: None for lazy samples that do not know them beforehand."""
    if isinstance(samples, Lazy):
        return None if samples.labels is None else list(samples.labels)
    return [sample.label for sample in samples]


def picked(samples: Sequence[Sample], indices: Sequence[int]) -> Lazy:
    """These samples, read when they are asked for."""
    labels = known_labels(samples)
    return Lazy(len(indices), partial(_pick, samples, indices), labels and [labels[index] for index in indices])


def _pick(samples: Sequence[Sample], indices: Sequence[int], index: int) -> Sample:
    return samples[indices[index]]


def drawn(samples: Sequence[Sample], size: int, seed: int = 0) -> list[int]:
    """Indices of so many samples, ascending, in proportion to the classes where each has one."""
    ranked = []
    for group, indices in _members(_groups(samples)).items():
        turn = random.Random(f"{seed}/{group}")
        turn.shuffle(indices)  # each class in steps of a share of itself; which goes first of equal ones is chance, too
        ranked += [((place + 0.5) / len(indices), turn.random(), index) for place, index in enumerate(indices)]
    return sorted(index for *_, index in sorted(ranked)[:size])


def _groups(samples: Sequence[Sample]) -> Sequence[Hashable]:
    """The class of each sample; None of all where one has none, or several."""
    labels = known_labels(samples)
    return labels if labels is not None and all(type(label) is int for label in labels) else [None] * len(samples)


def _members(groups: Sequence[Hashable]) -> dict[Hashable, list[int]]:
    """Indices of the samples of each group."""
    members: dict[Hashable, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        members[group].append(index)
    return members


def cut_groups(
    groups: Sequence[Hashable], fraction: float, seed: int = 0, classes: Sequence[str] | None = None
) -> tuple[list[int], list[int]]:
    """As `cut`, for the group (an int class, or None) of each sample."""
    if not 0 < fraction < 1:
        raise ConfigError(f"A split fraction must lie between 0 and 1, not {fraction}.")
    members = _members(groups)
    if not members:
        raise ConfigError("There are no samples to split: give the source some data.")
    taken: set[int] = set()
    for group in sorted(members, key=repr):
        indices = members[group]
        if len(indices) < 2:
            raise ConfigError(
                f"{_named(group, classes)} has only one sample, which cannot be in both parts of a split: "
                "add samples of it, leave it out, or give the source a validation split of its own."
            )
        size = min(max(round(fraction * len(indices)), 1), len(indices) - 1)
        taken.update(random.Random(f"{seed}/{group}").sample(indices, size))  # a string seed is the same on every run
    return [i for i in range(len(groups)) if i not in taken], sorted(taken)


def three_way(
    labels: Sequence[int], validation: float, test: float, seed: int, classes: Sequence[str] | None = None
) -> dict[str, list[int]]:
    """Stratified indices of train, validation and test; `validation` and `test` are fractions of the whole.

    Raises `ConfigError` for fractions that leave one of the three empty.
    """
    if min(validation, test) <= 0 or validation + test >= 1:
        raise ConfigError(
            f"data.validation={validation} and data.test={test} must both be above 0, and leave something to train on: "
            "their sum must be below 1."
        )
    rest, tested = cut_groups(labels, test, seed, classes)
    train, validated = cut_groups([labels[i] for i in rest], validation / (1 - test), seed, classes)
    return {"train": [rest[i] for i in train], "validation": [rest[i] for i in validated], "test": tested}


def split_sizes(train: int, validation: int, test: int) -> dict[str, int]:
    """How many samples of each split a source shall make. Raises `ConfigError` for none to train on."""
    sizes = {"train": train, "validation": validation, "test": test}
    for split, size in sizes.items():
        least = 1 if split == "train" else 0
        if size < least:
            raise ConfigError(f"data.{split}={size} must be at least {least}.")
    return sizes


def _named(group: Hashable, classes: Sequence[str] | None) -> str:
    if group is None:
        return "The source"
    return f"Class '{classes[group] if classes is not None and isinstance(group, int) else group}'"
