"""What any data source must fulfil: whoever trains on it relies on each line here."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmattn.contracts.sameness import same
from mmattn.data.source import SPLITS, Lazy, Sample, Source
from mmattn.errors import BadSample


def check_source(source: Source, limit: int | None = 200) -> list[str]:
    """The faults of a source, a sentence each; an empty list if it fulfils the contract.

    At most `limit` samples a split are read, spread evenly; None reads all. Errors about the source as a whole
    (`ConfigError`) are raised as they come.
    """
    faults = list(_class_faults(source))
    read: dict[str, Sample] = {}
    for split in SPLITS:
        samples, again = source.samples(split), source.samples(split)
        if samples is None or again is None:
            if split == "train":
                faults.append("samples('train') is None: there is nothing to train on.")
        elif len(samples) == 0:
            faults.append(f"{split} is empty: return None where the source has no such split.")
        else:
            faults += _length_faults(split, samples, again)
            faults += _label_list_faults(split, samples, source.classes)
            faults += _pickle_faults(split, samples)
            for index in _spread(len(samples), limit):
                try:
                    sample, repeated = samples[index], again[index]
                    faults += _sample_faults(f"{split}[{index}]", sample, repeated, source.classes)
                except BadSample as error:  # also of a part that is read when it is asked for
                    faults.append(f"{split}[{index}] cannot be read: {error}")
                    continue
                if index < len(known := _known_labels(samples)) and known[index] != sample.label:
                    faults.append(f"{split}[{index}] has label {sample.label}, and its list {known[index]}.")
                read[f"{split}[{index}]"] = sample
    return faults + list(_common_faults(read))


def _common_faults(read: Mapping[str, Sample]) -> Iterator[str]:
    """Names that come twice, in one split or in two, and values (or parts of them) of several types."""
    places: dict[str, str] = {}
    for place, sample in read.items():
        if sample.name in places:
            yield f"{place} has the name '{sample.name}' of {places[sample.name]}: names are unique over all splits."
        places[sample.name] = place
    types = {_kind(sample.value) for sample in read.values()}
    if len(types) > 1:
        yield f"Values are of different types: {', '.join(sorted(types))}."


def _kind(value: Any) -> str:
    """The type of a value; of one in parts (a dict), those of its parts by name."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{part}: {type(value[part]).__name__}' for part in sorted(value))}}}"
    return type(value).__name__


def _class_faults(source: Source) -> Iterator[str]:
    classes = source.classes
    if classes is not None:
        if not classes or not all(isinstance(name, str) for name in classes):
            yield f"classes must be names or None, not {classes!r}."
        if len(set(classes)) != len(classes):
            yield f"classes must differ: {classes!r}."
    if not all(isinstance(note, str) for note in source.notes):
        yield f"notes must be sentences, not {source.notes!r}."


def _length_faults(split: str, samples: Sequence[Sample], again: Sequence[Sample]) -> Iterator[str]:
    if len(samples) != len(again):
        yield f"{split} has {len(samples)} samples the first time and {len(again)} the second."
    try:
        samples[len(samples)]
        yield f"{split}[{len(samples)}] exists although len is {len(samples)}: raise IndexError there."
    except IndexError:
        pass


def _known_labels(samples: Sequence[Sample]) -> Sequence[Any]:
    return (samples.labels or ()) if isinstance(samples, Lazy) else ()


def _label_list_faults(split: str, samples: Sequence[Sample], classes: Sequence[str] | None) -> Iterator[str]:
    labels = samples.labels if isinstance(samples, Lazy) else [sample.label for sample in samples]
    if labels is None:
        return
    if len(labels) != len(samples):
        yield f"{split} has {len(labels)} labels for {len(samples)} samples."
    if split == "train" and classes is not None:
        seen = {each for label in labels for each in (label if isinstance(label, list) else [label])}
        for number, name in enumerate(classes):
            if number not in seen:
                yield f"Class '{name}' has no training sample."


def _sample_faults(place: str, sample: Sample, repeated: Sample, classes: Sequence[str] | None) -> Iterator[str]:
    if not isinstance(sample.name, str) or not sample.name:
        yield f"{place} has the name {sample.name!r}: errors need one."
    if sample.value is None or (isinstance(sample.value, dict) and not sample.value):
        yield f"{place} has no value."
    for part in sample.value if isinstance(sample.value, Mapping) else ():
        if sample.value[part] is None:
            yield f"{place} has no value for its part '{part}'."
    if (sample.name, sample.label) != (repeated.name, repeated.label) or not same(sample.value, repeated.value):
        yield f"{place} differs when it is read again: a source is deterministic."
    for label in sample.label if isinstance(sample.label, list) else [sample.label]:
        if label is None:
            if classes is not None and not isinstance(sample.label, list):  # in a list: a unit that is not labelled
                yield f"{place} has no label although the source has classes."
        elif type(label) is not int:
            yield f"{place} has the label {label!r} of type {type(label).__name__}: labels are ints."
        elif classes is not None and not 0 <= label < len(classes):
            yield f"{place} has the label {label}, outside the {len(classes)} classes."
        elif classes is None and not isinstance(sample.label, list):
            yield f"{place} has the label {label}, and the source names no classes."


def _pickle_faults(split: str, samples: Sequence[Sample]) -> Iterator[str]:
    try:
        copy = pickle.loads(pickle.dumps(samples))
    except Exception as error:  # whatever pickling raises is the fault
        yield f"{split} cannot be pickled for data loader workers: {error}"
        return
    if len(copy) != len(samples):
        yield f"{split} has {len(copy)} samples after pickling, {len(samples)} before."


def _spread(count: int, limit: int | None) -> Sequence[int]:
    if limit is None or count <= limit:
        return range(count)
    return sorted({round(i * (count - 1) / max(limit - 1, 1)) for i in range(limit)})
