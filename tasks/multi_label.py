"""Any number of classes a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from torchmetrics import MetricCollection
from torchmetrics.classification import MultilabelAveragePrecision, MultilabelExactMatch, MultilabelF1Score

from mmattn.data.dataset import PreparedDataset
from mmattn.data.labels import SeveralClasses
from mmattn.report.cards import Card, item, title
from mmattn.tasks.base import Scores
from mmattn.tasks.labelled import Labelled
from mmattn.tokenizer import Batch, Prepared

THRESHOLD = 0.5
"""The least probability of a class that counts as predicted."""


class MultiLabel(Labelled):
    """Binary cross-entropy of each class apart, averaged over documents and classes."""

    monitor = "validation/micro_f1"
    heads = ("classifier",)
    labels = SeveralClasses()

    def measures(self) -> MetricCollection:
        classes = len(self.names)
        return MetricCollection(
            {
                "micro_f1": MultilabelF1Score(classes, THRESHOLD, average="micro"),
                "macro_f1": MultilabelF1Score(classes, THRESHOLD, average="macro"),
                "mean_average_precision": MultilabelAveragePrecision(classes, average="macro"),
                "exact_match": MultilabelExactMatch(classes, THRESHOLD),
            }
        )

    def forward(self, batch: Batch) -> Tensor:
        """Scores of the classes (documents, classes)."""
        return self.head(self.backbone(self.tokenizer(batch)), len(batch["lengths"]))

    def evaluate(self, batch: Batch) -> Scores:
        scores = self(batch)
        target = several_hot(batch["labels"], len(self.names))
        loss = binary_cross_entropy_with_logits(scores, target.to(scores.dtype))
        return Scores(loss, len(target), scores.sigmoid(), target)

    def predicted(self, pieces: Sequence[Prepared]) -> dict[str, Any]:
        """The `labels` of at least even chance, and the `probabilities` of all, which are averaged over pieces."""
        chances = self(self.tokenizer.collate(pieces)).sigmoid().mean(0).tolist()
        probabilities = dict(zip(self.names, chances, strict=True))
        labels = [name for name, chance in probabilities.items() if chance >= THRESHOLD]
        return {"labels": labels, "probabilities": probabilities}

    @torch.no_grad()
    def cards(self, dataset: PreparedDataset, indices: Sequence[int]) -> list[Card]:
        """The sample, what it is said to be and what it is, and whether the two are the same."""
        found = []
        for index in indices:
            batch, prepared = dataset.batch([(0, index)]), item(dataset, index)
            said = self.predicted([prepared])
            truth = sorted(self.names[place] for place in batch["labels"][0].tolist())
            words = {"predicted": sorted(said["labels"]), "is": truth}
            shown = self.tokenizer.show(prepared)
            parts: list[Any] = [] if shown is None else [("", shown)]
            parts.append(("", "\n".join(f"{what}: {', '.join(names) or 'nothing'}" for what, names in words.items())))
            found.append(Card(title(dataset, index), parts, words["predicted"] == truth))
        return found


def several_hot(classes: Tensor, count: int) -> Tensor:
    """Lists of classes (documents, most of a document), -1 behind the last, as zeros and ones (documents, count)."""
    hot = classes.new_zeros(len(classes), count + 1)
    return hot.scatter(1, classes.masked_fill(classes < 0, count), 1)[:, :count]
