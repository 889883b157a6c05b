"""What a task makes of the labels of raw samples: one class, several, or one for every raw unit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmattn.data.source import Sample
from mmattn.errors import BadSample
from mmattn.sequence import PADDING, Side
from mmattn.tokenizer import Prepared, Tokenizer, pad


class Labels(ABC):
    """Holds nothing, so that data loader workers can be sent one."""

    @abstractmethod
    def read(self, sample: Sample, prepared: Prepared, tokenizer: Tokenizer) -> Tensor:
        """The label of a whole sample as a tensor. Raises `BadSample` for one of another kind."""

    def target(self, label: Tensor, prepared: Prepared, tokenizer: Tokenizer) -> Tensor:
        """What the task compares with, from a label that `read` gave; `prepared` may be a piece of the sample."""
        return label

    @abstractmethod
    def stack(self, targets: Sequence[Tensor], side: Side) -> Tensor:
        """The targets of a batch, whose tokens are padded on `side`."""


class OneClass(Labels):
    """A class a sample: (documents,)."""

    def read(self, sample: Sample, prepared: Prepared, tokenizer: Tokenizer) -> Tensor:
        if isinstance(sample.label, list):
            raise BadSample(
                sample.name,
                "has a list of labels, and task=classification takes one class a sample; "
                "set task=multi_label, or task=token_classification with head=token_classifier",
            )
        return _numbers(sample.name, [sample.label])[0]

    def stack(self, targets: Sequence[Tensor], side: Side) -> Tensor:
        return torch.stack(list(targets))


class SeveralClasses(Labels):
    """The classes of each sample, any number of them: (documents, most of a sample), -1 behind the last."""

    def read(self, sample: Sample, prepared: Prepared, tokenizer: Tokenizer) -> Tensor:
        if not isinstance(sample.label, list):
            raise BadSample(
                sample.name,
                f"has the label {sample.label!r}, and task=multi_label takes a list of classes; "
                "set task=classification, or give the data several labels a sample",
            )
        classes = _numbers(sample.name, sample.label)
        if len(set(sample.label)) < len(sample.label):
            raise BadSample(
                sample.name,
                f"has a class twice in {sample.label}: name each once; for labels a token set "
                "task=token_classification, and give rows of zeros and ones as booleans",
            )
        return classes

    def stack(self, targets: Sequence[Tensor], side: Side) -> Tensor:
        return pad(targets, "right", PADDING)


class ClassPerUnit(Labels):
    """The class of the raw unit that each token shows: (documents, length), -1 where it is not labelled."""

    def read(self, sample: Sample, prepared: Prepared, tokenizer: Tokenizer) -> Tensor:
        if not isinstance(sample.label, list):
            raise BadSample(
                sample.name,
                f"has the label {sample.label!r}, and task=token_classification takes a list, a class (or None) for "
                "each character, residue or other unit; set task=classification for one class a sample",
            )
        tokenizer.units(prepared)  # a tokenizer without units says so before the values are counted
        if len(sample.label) != len(sample.value):
            raise BadSample(
                sample.name,
                f"has {len(sample.label)} labels for {len(sample.value)} units (characters, residues); give each unit "
                "a class, or None",
            )
        classes = torch.full((len(sample.label),), PADDING)
        known = [place for place, label in enumerate(sample.label) if label is not None]
        classes[known] = _numbers(sample.name, [sample.label[place] for place in known])
        return classes

    def target(self, label: Tensor, prepared: Prepared, tokenizer: Tokenizer) -> Tensor:
        units = tokenizer.units(prepared).long()
        return torch.where(units < 0, PADDING, label[units])

    def stack(self, targets: Sequence[Tensor], side: Side) -> Tensor:
        return pad(targets, side, PADDING)


def _numbers(name: str, labels: Sequence[Any]) -> Tensor:
    for label in labels:
        if type(label) is not int or label < 0:
            raise BadSample(name, f"has the label {label!r}, which is no class; label it, or leave it out")
    return torch.tensor(labels, dtype=torch.long)
