"""Any number of classes a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torchmetrics import MetricCollection
from torchmetrics.classification import MultilabelAveragePrecision, MultilabelExactMatch, MultilabelF1Score

from mmattn.data.labels import SeveralClasses
from mmattn.report.cards import Card
from mmattn.tasks.base import Scores
from mmattn.tasks.labelled import LabelledDocuments
from mmattn.tokenizer import Batch, Prepared

THRESHOLD = 0.5
"""The least probability of a class that counts as predicted."""


class MultiLabel(LabelledDocuments):
    """Binary cross-entropy of each class apart, averaged over documents and classes."""

    monitor = "validation/micro_f1"
    labels = SeveralClasses()

    def chances(self, scores: Tensor) -> Tensor:
        return scores.sigmoid()

    def sample_measures(self) -> MetricCollection:
        classes = len(self.names)
        return MetricCollection(
            {
                "micro_f1": MultilabelF1Score(classes, THRESHOLD, average="micro"),
                "macro_f1": MultilabelF1Score(classes, THRESHOLD, average="macro"),
                "mean_average_precision": MultilabelAveragePrecision(classes, average="macro"),
                "exact_match": MultilabelExactMatch(classes, THRESHOLD),
            }
        )

    def evaluate(self, batch: Batch) -> Scores:
        self.check(batch)
        scores = self(batch)
        target = several_hot(batch["labels"], len(self.names))
        loss = binary_cross_entropy_with_logits(scores, target.to(scores.dtype))
        return Scores(loss, len(target), scores, target)

    def predicted(self, pieces: Sequence[Prepared], chances: Sequence[Tensor]) -> dict[str, Any]:
        """The `labels` of at least even chance, and the `probabilities` of all, which are averaged over pieces."""
        probabilities = self.probabilities(chances)
        labels = [name for name, chance in probabilities.items() if chance >= THRESHOLD]
        return {"labels": labels, "probabilities": probabilities}

    def card(self, name: str, parts: list[Any], said: dict[str, Any], label: Tensor) -> Card:
        """What the sample is said to be and what it is, and whether the two are the same."""
        truth = sorted(self.names[place] for place in label.tolist())
        words = {"predicted": sorted(said["labels"]), "is": truth}
        lines = "\n".join(f"{what}: {', '.join(names) or 'nothing'}" for what, names in words.items())
        return Card(name, [*parts, ("", lines)], words["predicted"] == truth)


def several_hot(classes: Tensor, count: int) -> Tensor:
    """Lists of classes (documents, most of a document), -1 behind the last, as zeros and ones (documents, count)."""
    hot = classes.new_zeros(len(classes), count + 1)
    return hot.scatter(1, classes.masked_fill(classes < 0, count), 1)[:, :count]
