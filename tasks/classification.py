"""One class a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn.functional import cross_entropy
from torchmetrics import MetricCollection

from mmattn.data.labels import OneClass
from mmattn.limits import within
from mmattn.report.cards import Card
from mmattn.tasks.base import Scores
from mmattn.tasks.labelled import LabelledDocuments, single_class_measures
from mmattn.tokenizer import Batch, Prepared


class Classification(LabelledDocuments):
    """Cross-entropy of the document's class; `label_smoothing` spreads that share of the target over all classes."""

    monitor = "validation/accuracy"
    labels = OneClass()
    least_label = 0

    def __init__(self, *args: Any, label_smoothing: float = 0.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        within("task.label_smoothing", label_smoothing, least=0, below=1)
        self.label_smoothing = label_smoothing

    def sample_measures(self) -> MetricCollection:
        return single_class_measures(len(self.names))

    def chances(self, scores: Tensor) -> Tensor:
        return scores.softmax(-1)

    def evaluate(self, batch: Batch) -> Scores:
        self.check(batch)
        scores, labels = self(batch), batch["labels"]
        smoothing = self.label_smoothing if self.training else 0.0
        return Scores(cross_entropy(scores, labels, label_smoothing=smoothing), len(labels), scores, labels)

    def predicted(self, pieces: Sequence[Prepared], chances: Sequence[Tensor]) -> dict[str, Any]:
        """The likeliest `label` and the `probabilities` of all, which are averaged over pieces."""
        probabilities = self.probabilities(chances)
        return {"label": max(probabilities, key=probabilities.__getitem__), "probabilities": probabilities}

    def card(self, name: str, parts: list[Any], said: dict[str, Any], label: Tensor) -> Card:
        """The likeliest classes, and whether the first is right."""
        order = sorted(said["probabilities"].items(), key=lambda pair: -pair[1])
        truth = self.names[int(label)]
        return Card(name, parts, said["label"] == truth, order, truth)
