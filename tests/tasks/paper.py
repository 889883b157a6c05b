"""Tasks around a backbone without layers: their scores are pooled embeddings through a linear map."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from mmattn import Backbone
from mmattn.data.source import Sample
from mmattn.heads import Classifier
from mmattn.optimizers import adamw
from mmattn.schedules import WarmupStableDecay
from mmattn.tokenizers.text import ByteTokenizer

CLASSES = ("a", "b", "c")
SCHEDULE = WarmupStableDecay(0.25, 0.5)
RATE = 0.5


def task_of(kind, head=Classifier, classes=CLASSES, **arguments):
    """A task whose scores are not all alike."""
    torch.manual_seed(0)
    tokenizer, backbone = ByteTokenizer(8, deviation=1.0), Backbone(8, 0, {"none": nn.Identity})
    optimizer = partial(adamw, learning_rate=RATE)
    made = head(8, tokenizer, len(CLASSES))
    return kind(tokenizer, backbone, made, optimizer=optimizer, schedule=SCHEDULE, classes=classes, **arguments)


def batch_of(task, labels):
    """Texts of one letter, two, … with these labels."""
    prepared = [task.tokenizer.prepare(Sample("x", "abcdefghi"[: i % 8 + 1])) for i in range(len(labels))]
    return {**task.tokenizer.collate(prepared), "labels": torch.tensor(labels), "samples": torch.arange(len(labels))}
