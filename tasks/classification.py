"""One class a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torchmetrics import MetricCollection
from torchmetrics.classification import MulticlassAccuracy, MulticlassF1Score

from mmattn.errors import ConfigError
from mmattn.tasks.base import Scores, Task
from mmattn.tokenizer import Batch


class Classification(Task):
    """Cross-entropy of the document's class; `label_smoothing` spreads that share of the target over all classes."""

    monitor = "validation/accuracy"
    mode = "max"

    def __init__(self, *args: Any, label_smoothing: float = 0.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_smoothing = label_smoothing

    def measures(self) -> MetricCollection:
        if self.classes is None:
            raise ConfigError("task=classification needs data with labels; this data has none.")
        classes = len(self.classes)
        return MetricCollection(
            {
                "accuracy": MulticlassAccuracy(classes, average="micro"),
                "f1": MulticlassF1Score(classes, average="macro"),
            }
        )

    @staticmethod
    def labels(labels: Sequence[Any], batch: Batch) -> Batch:
        return {"labels": torch.tensor(labels, dtype=torch.long)}

    def forward(self, batch: Batch) -> Tensor:
        """Scores of the classes (documents, classes)."""
        return self.head(self.backbone(self.tokenizer(batch)), len(batch["lengths"]))

    def evaluate(self, batch: Batch) -> Scores:
        scores, labels = self(batch), batch["labels"]
        smoothing = self.label_smoothing if self.training else 0.0
        return Scores(cross_entropy(scores, labels, label_smoothing=smoothing), len(labels), scores, labels)
