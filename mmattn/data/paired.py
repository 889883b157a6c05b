"""Samples of several sources put together by their class: sounds and pictures of digits, pictures and names."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from mmattn.data.source import Lazy, Sample, Source, Split
from mmattn.data.split import cut, known_labels, picked
from mmattn.errors import ConfigError, nearest
from mmattn.limits import within

Members = dict[str, list[int]]
"""Indices of the samples of each class, by its name."""

Pair = tuple[int, dict[str, int]]
"""A class, and the index of a sample in each part."""


class Paired(Source):
    """Samples with a value a part, such as `{"image": …, "sound": …}`, all of one class, which is the label.

    Of each class there are as many pairs as the part with the most samples has: those come once, the others again and
    again, in an order that `seed` shuffles. Classes that not every part has are left out (`notes`). A part without a
    validation split has one cut off, so that no sample is on both sides.

    Args:
        parts: name → a source whose samples have one class each.
        renamed: name of a part → its class → what it is called here; the others keep their names. Parts agree by names.
        class_as: the name of one more value, the class's name as text; None leaves it out.
        most: pairs of a class in a split at most; None takes all.
        validation: the share of the training split that is cut off.
        seed: of what is paired with what, and of that cut.

    Raises `ConfigError`, when made, for parts or names that do not fit together.
    """

    def __init__(
        self,
        parts: Mapping[str, Source],
        *,
        renamed: Mapping[str, Mapping[str, str]] | None = None,
        class_as: str | None = None,
        most: int | None = None,
        validation: float = 0.1,
        seed: int = 0,
    ) -> None:
        self.parts = {name: source for name, source in parts.items() if source is not None}
        if len(self.parts) + (class_as is not None) < 2:
            raise ConfigError("data.parts: a pair has two sides; name two sources, or one and data.class_as.")
        if class_as in self.parts:
            raise ConfigError(f"data.class_as={class_as} is a source in data.parts, too: call it otherwise.")
        if most is not None and most < 1:
            raise ConfigError(f"data.most={most} must be at least 1.")
        within("data.validation", validation, least=0, below=1)
        self.class_as, self.most, self.validation, self.seed = class_as, most, validation, seed
        for name in renamed or {}:
            if name not in self.parts:
                raise ConfigError(f"data.renamed.{name}: data.parts has no such source.{nearest(name, self.parts)}")
        self._names = {
            name: _named(name, source, (renamed or {}).get(name) or {}) for name, source in self.parts.items()
        }
        first, *others = self._names.values()
        self._classes = tuple(name for name in dict.fromkeys(first) if all(name in other for other in others))
        if not self._classes:
            said = "; ".join(f"{name} has {', '.join(names[:6])}, …" for name, names in self._names.items())
            raise ConfigError(f"data.parts have no class in common ({said}): set data.renamed.PART.CLASS=NAME.")

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes

    @property
    def notes(self) -> tuple[str, ...]:
        said = [f"{name}: {note}" for name, source in self.parts.items() for note in source.notes]
        for name, names in self._names.items():
            if left := [each for each in dict.fromkeys(names) if each not in self._classes]:
                said.append(f"{name}: classes left out that another part lacks: {', '.join(left)}.")
        return tuple(said)

    def samples(self, split: Split) -> Sequence[Sample] | None:
        found = {name: self._split(source, split) for name, source in self.parts.items()}
        parts = {name: samples for name, samples in found.items() if samples is not None}
        if len(parts) < len(found):
            return None
        pairs = self._pairs(split, {name: self._members(name, samples) for name, samples in parts.items()})
        labels = [label for label, _ in pairs]
        return Lazy(len(pairs), partial(self._read, parts, pairs), labels) if pairs else None

    def _split(self, source: Source, split: Split) -> Sequence[Sample] | None:
        """A split of a part; a validation split is cut off where it has none."""
        samples = source.samples(split)
        if split == "test" or (samples is not None and split == "validation"):
            return samples
        train = samples if split == "train" else source.samples("train")
        if train is None or (split == "train" and source.samples("validation") is not None):
            return train
        kept, apart = cut(train, self.validation, self.seed, source.classes)
        return picked(train, kept if split == "train" else apart)

    def _members(self, part: str, samples: Sequence[Sample]) -> Members:
        labels = known_labels(samples)
        if labels is None or any(type(label) is not int for label in labels):
            raise ConfigError(f"data.parts.{part}: its samples must have one class each to be paired by it.")
        members: Members = defaultdict(list)
        for index, label in enumerate(labels):
            members[self._names[part][label]].append(index)
        return members

    def _pairs(self, split: Split, members: Mapping[str, Members]) -> list[Pair]:
        """The pairs of a split; the classes take turns."""
        pairs = []
        for label, called in enumerate(self._classes):
            orders = {}
            for part, of_part in members.items():
                order = list(of_part.get(called, ()))
                # Seeded by a string, which is the same in every process.
                random.Random(f"{self.seed}/{split}/{part}/{called}").shuffle(order)
                orders[part] = order
            count = max(map(len, orders.values())) if all(orders.values()) else 0
            for turn in range(count if self.most is None else min(count, self.most)):
                pairs.append((turn, label, {part: order[turn % len(order)] for part, order in orders.items()}))
        return [(label, indices) for _, label, indices in sorted(pairs, key=lambda pair: pair[:2])]

    def _read(self, parts: Mapping[str, Sequence[Sample]], pairs: Sequence[Pair], index: int) -> Sample:
        label, indices = pairs[index]
        samples = {part: parts[part][place] for part, place in indices.items()}
        value = {part: sample.value for part, sample in samples.items()}
        if self.class_as is not None:
            value[self.class_as] = self._classes[label]
        return Sample(" + ".join(sample.name for sample in samples.values()), value, label)


def _named(part: str, source: Source, renamed: Mapping[str, str]) -> list[str]:
    """What the classes of a part are called, by number; several may have one name."""
    classes = source.classes
    if classes is None:
        raise ConfigError(f"data.parts.{part}: {type(source).__name__} has no classes to be paired by.")
    names = {str(old): str(new) for old, new in renamed.items()}  # yaml reads 3 as a number
    for old in names:
        if old not in classes:
            raise ConfigError(
                f"data.renamed.{part} names the class '{old}'; it has {', '.join(classes)}.{nearest(old, classes)}"
            )
    return [names.get(each, each) for each in classes]
