"""What the tasks share that predict labels from a fixed set of classes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

from mmattn.data.labels import Labels
from mmattn.errors import ConfigError
from mmattn.tasks.base import Task
from mmattn.tokenizer import Prepared


class Labelled(Task):
    """A task whose targets are the labels of the data.

    labels: what it makes of them.
    """

    mode = "max"
    labels: Labels

    @property
    def names(self) -> tuple[str, ...]:
        """The classes. Raises `ConfigError` for data without labels."""
        if self.classes is None:
            raise ConfigError(f"{type(self).__name__} needs data with labels; this data has none.")
        return self.classes

    @abstractmethod
    def predicted(self, pieces: Sequence[Prepared]) -> dict[str, Any]:
        """What the model says of one sample, given whole or in pieces, as json-like values for `mmattn predict`."""


def single_class_measures(classes: int) -> MetricCollection:
    """Accuracy over all targets, and F1 averaged over classes."""
    accuracy = MulticlassAccuracy(classes, average="micro")
    return MetricCollection({"accuracy": accuracy, "f1": MulticlassF1Score(classes, average="macro")})
