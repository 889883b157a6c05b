"""A sample that is seen in pieces counts once, by the average of what is said of its pieces."""

from __future__ import annotations

import torch
from torchmetrics.classification import MulticlassAccuracy, MultilabelF1Score

from mmattn.tasks.per_sample import PerSample


def test_pieces_are_averaged_over_batches_in_any_order():
    metric = PerSample(MulticlassAccuracy(2, average="micro"))
    chances = torch.tensor([[0.9, 0.1], [0.4, 0.6], [0.4, 0.6], [0.2, 0.8]])
    metric.update(chances[[1, 3]], torch.tensor([0, 0]), torch.tensor([7, 2]))
    metric.update(chances[[0, 2]], torch.tensor([0, 0]), torch.tensor([7, 7]))
    assert metric.compute() == 0.5  # of four pieces one is right; sample 7 is right on average, sample 2 is wrong
    metric.reset()
    metric.update(chances[:1], torch.tensor([0]), torch.tensor([0]))
    assert metric.compute() == 1


def test_several_labels():
    metric = PerSample(MultilabelF1Score(2, average="micro"))
    metric.update(torch.tensor([[0.9, 0.2], [0.3, 0.9]]), torch.tensor([[1, 1], [1, 1]]), torch.tensor([0, 0]))
    assert metric.compute() == 1
