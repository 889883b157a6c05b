"""Losses and metrics against their definitions and scikit-learn's."""

from __future__ import annotations

import pytest
import torch
from sklearn import metrics
from torch.nn.functional import log_softmax

from mmattn.data.source import Sample
from mmattn.tasks.classification import Classification
from mmattn.tasks.labelled import single_class_measures
from mmattn.tasks.multi_label import MultiLabel, several_hot
from tests.tasks.paper import CLASSES, batch_of, task_of


def measured(task, batch):
    """The metrics of a task after one batch."""
    with torch.no_grad():
        task.metrics["test"].update(*task.compared(task.evaluate(batch), batch))
    return {name: float(value) for name, value in task.metrics["test"].compute().items()}


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_cross_entropy_is_smoothed_in_training_alone(smoothing):
    task = task_of(Classification, label_smoothing=smoothing).double()
    batch = batch_of(task, [0, 2, 1, 1])
    scores = task(batch)
    chosen = log_softmax(scores, -1)
    plain = -chosen[range(4), [0, 2, 1, 1]].mean()
    smooth = (1 - smoothing) * plain - smoothing * chosen.mean()
    torch.testing.assert_close(task.train().evaluate(batch).loss, smooth)
    torch.testing.assert_close(task.eval().evaluate(batch).loss, plain)
    assert task.evaluate(batch).count == 4


@pytest.mark.parametrize("labels", [[0, 1, 2, 1, 0, 2, 2, 1], [1] * 8, [0]], ids=["all", "one class", "one sample"])
def test_accuracy_and_f1_are_scikit_learns(labels):
    task = task_of(Classification)
    batch = batch_of(task, labels)
    scores = task(batch)
    guess = scores.argmax(-1)
    found = measured(task, batch)
    seen = sorted({*labels, *guess.tolist()})  # a class that is nowhere has no F1
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(labels, guess))
    assert found["f1"] == pytest.approx(metrics.f1_score(labels, guess, average="macro", labels=seen, zero_division=0))


def test_several_classes_are_measured_as_scikit_learn_does():
    task = task_of(MultiLabel)
    labels = [[0, 1], [2, -1], [-1, -1], [1, 0], [1, 2], [0, -1]]
    batch = batch_of(task, labels)
    scores = task(batch)
    target, guess = several_hot(batch["labels"], 3), scores.sigmoid() >= 0.5
    expected = {
        "micro_f1": metrics.f1_score(target, guess, average="micro"),
        "macro_f1": metrics.f1_score(target, guess, average="macro", zero_division=0),
        "mean_average_precision": metrics.average_precision_score(target, scores.detach(), average="macro"),
        "exact_match": metrics.accuracy_score(target, guess),
    }
    assert measured(task, batch) == pytest.approx(expected, abs=1e-6)
    chances = scores.sigmoid().clamp(1e-7, 1 - 1e-7)
    loss = -torch.where(target.bool(), chances.log(), (1 - chances).log()).mean()
    torch.testing.assert_close(task.evaluate(batch).loss, loss)


def test_metrics_of_ties_take_the_first_class():
    found = single_class_measures(3)
    found.update(torch.zeros(2, 3), torch.tensor([0, 1]))
    assert float(found["accuracy"].compute()) == 0.5


def test_what_is_predicted_is_averaged_over_pieces():
    task = task_of(Classification).eval()
    pieces = [task.tokenizer.prepare(Sample("x", text)) for text in ("abc", "z")]
    alone = torch.cat([task(task.tokenizer.collate([piece])).softmax(-1) for piece in pieces]).mean(0)
    said = task.predicted(pieces, task.said(task.tokenizer.collate(pieces)))
    assert list(said["probabilities"]) == list(CLASSES)
    assert list(said["probabilities"].values()) == pytest.approx(alone.tolist(), abs=1e-6)
    assert said["label"] == CLASSES[int(alone.argmax())]
