"""What the tasks share that predict labels from a fixed set of classes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

from mmattn.data.dataset import PreparedDataset
from mmattn.data.labels import Labels
from mmattn.errors import BadSample, ConfigError
from mmattn.report.cards import Card, item, title
from mmattn.sequence import PADDING
from mmattn.tasks.base import Scores, Task
from mmattn.tasks.per_sample import PerSample
from mmattn.tokenizer import Batch, Prepared


class Labelled(Task):
    """A task whose targets are the labels of the data.

    labels: what it makes of them.
    least_label: the least number that may stand among them; -1 stands for no label.
    """

    mode = "max"
    labels: Labels
    least_label = PADDING

    @property
    def names(self) -> tuple[str, ...]:
        """The classes. Raises `ConfigError` for data without labels."""
        if self.classes is None:
            raise ConfigError(f"{type(self).__name__} needs data with labels; this data has none.")
        return self.classes

    def check(self, batch: Batch) -> None:
        """Raise `BadSample` for a label that is no class."""
        labels, count = batch["labels"], len(self.names)
        if not labels.is_cpu:  # it was, when the batch was checked on its way to the device
            return
        wrong = (labels < self.least_label) | (labels >= count)
        if bool(wrong.any()):
            document = int(wrong.nonzero()[0, 0])
            raise BadSample(
                batch["names"][document] if "names" in batch else f"sample {document} of a batch",
                f"has the label {int(labels[wrong][0])}, and the {count} classes of the data are numbered from 0 to "
                f"{count - 1}; mend the label, or name all classes",
            )

    @abstractmethod
    def said(self, batch: Batch) -> Sequence[Tensor]:
        """The probabilities of each document of a batch."""

    @abstractmethod
    def predicted(self, pieces: Sequence[Prepared], chances: Sequence[Tensor]) -> dict[str, Any]:
        """What `said` gave for the pieces of one sample, as json-like values for `mmattn predict`."""


class LabelledDocuments(Labelled):
    """Labels that belong to samples as a whole."""

    heads = ("classifier",)

    def forward(self, batch: Batch) -> Tensor:
        """Scores of the classes (documents, classes)."""
        return self.head(self.backbone(self.tokenizer(batch)), len(batch["lengths"]))

    def measures(self) -> MetricCollection:
        metrics = self.sample_measures()
        return MetricCollection({name: PerSample(metric) for name, metric in metrics.items()})

    def compared(self, scores: Scores, batch: Batch) -> tuple[Any, ...]:
        assert scores.prediction is not None  # `evaluate` of such a task gives the classes' scores
        return self.chances(scores.prediction), scores.target, batch["samples"]

    @abstractmethod
    def sample_measures(self) -> MetricCollection:
        """Metrics of chances (samples, classes) against targets."""

    @abstractmethod
    def chances(self, scores: Tensor) -> Tensor:
        """Probabilities (documents, classes), which are averaged over the pieces of a sample."""

    def said(self, batch: Batch) -> Sequence[Tensor]:
        return self.chances(self(batch)).unbind()

    def probabilities(self, chances: Sequence[Tensor]) -> dict[str, float]:
        """The probability of each class for one sample, averaged over its pieces."""
        return dict(zip(self.names, torch.stack(list(chances)).mean(0).tolist(), strict=True))

    @torch.no_grad()
    def cards(self, dataset: PreparedDataset, indices: Sequence[int]) -> list[Card]:
        """Each sample, and what is said of it."""
        found = []
        for index in indices:
            prepared, batch = item(dataset, index), dataset.batch([(0, index)])
            shown = self.tokenizer.show(prepared)
            parts = [] if shown is None else [("", shown)]
            predicted = self.predicted([prepared], self.said(batch))
            found.append(self.card(title(dataset, index), parts, predicted, batch["labels"][0]))
        return found

    @abstractmethod
    def card(self, name: str, parts: list[Any], said: dict[str, Any], label: Tensor) -> Card:
        """What a report shows of one sample, of which `said` is predicted and `label` is true."""


def single_class_measures(classes: int) -> MetricCollection:
    """Accuracy over all targets, and F1 averaged over classes."""
    accuracy = MulticlassAccuracy(classes, average="micro")
    return MetricCollection({"accuracy": accuracy, "f1": MulticlassF1Score(classes, average="macro")})
