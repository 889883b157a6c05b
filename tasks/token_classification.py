"""A class for every token: parts of speech, secondary structure, the words of a program."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torchmetrics import MetricCollection

from mmattn.data.dataset import PreparedDataset
from mmattn.data.labels import ClassPerUnit
from mmattn.report.cards import Card, Mark, item, title
from mmattn.sequence import PADDING, TokenSequence
from mmattn.tasks.base import Scores
from mmattn.tasks.labelled import Labelled, single_class_measures
from mmattn.tokenizer import Batch, Prepared, token_info


class TokenClassification(Labelled):
    """Cross-entropy of each token's class: that of the raw unit which the token shows (`Tokenizer.units`).

    Tokens of unlabelled units, special ones and prefix tokens are seen by the model, and count in no loss or metric.
    """

    monitor = "validation/accuracy"
    heads = ("token_classifier",)
    labels = ClassPerUnit()

    def measures(self) -> MetricCollection:
        return single_class_measures(len(self.names))

    def forward(self, batch: Batch) -> Tensor:
        """Scores of all tokens of the batch without its prefix tokens, row after row (tokens, classes)."""
        tokens = self.tokenizer(batch)
        out = self.backbone(tokens)
        own = self.tokenizer.own(tokens.info)
        return self.head(TokenSequence(out.embeddings[own], out.info))  # the head works on each token alone

    def evaluate(self, batch: Batch) -> Scores:
        self.check(batch)
        scores, target = self(batch), batch["labels"][token_info(batch).real]
        scores, target = scores[target >= 0], target[target >= 0]
        loss = cross_entropy(scores, target, reduction="sum") / max(len(target), 1)  # a batch may have no label
        return Scores(loss, len(target), scores, target)

    def said(self, batch: Batch) -> Sequence[Tensor]:
        """(tokens, classes) for each document."""
        return self(batch).softmax(-1).split(batch["lengths"].tolist())

    def predicted(self, pieces: Sequence[Prepared], chances: Sequence[Tensor]) -> dict[str, Any]:
        """`tokens`, each with its place in the raw sample, likeliest label and the probability of it.

        Of a token in two pieces, which overlap, the first says it.
        """
        found = []
        for number, (prepared, each) in enumerate(zip(pieces, chances, strict=True)):
            units, likeliest = self.tokenizer.units(prepared).tolist(), each.max(-1)
            for index in range(self.tokenizer.overlap if number else 0, len(units)):
                if units[index] >= 0:
                    label, chance = self.names[int(likeliest.indices[index])], float(likeliest.values[index])
                    token = self.tokenizer.describe(prepared, index)
                    found.append({"unit": units[index], "token": token, "label": label, "probability": chance})
        return {"tokens": found}

    @torch.no_grad()
    def cards(self, dataset: PreparedDataset, indices: Sequence[int]) -> list[Card]:
        """The sample with its labelled tokens marked; of the wrong ones, what they are and were taken for."""
        found = []
        for index in indices:
            batch, prepared = dataset.batch([(0, index)]), item(dataset, index)
            guess, truth = self(batch).argmax(-1).tolist(), batch["labels"][0].tolist()
            parts = [("wrong tokens: truth→guess", self._marked(prepared, truth, guess))]
            found.append(Card(title(dataset, index), parts))
        return found

    def _marked(self, prepared: Prepared, truth: Sequence[int], guess: Sequence[int]) -> list[tuple[str, Mark]]:
        """The sample in runs of tokens of one class and one guess."""
        pieces: list[tuple[str, Mark]] = []
        for (true, said), run in groupby(range(len(truth)), lambda place: (truth[place], guess[place])):
            places = list(run)
            if self.tokenizer.vocabulary is None:
                text = " ".join(self.tokenizer.describe(prepared, place) for place in places) + " "
            else:
                text = self.tokenizer.restore(prepared["ids"][places])
            if true == PADDING:
                pieces.append((text, ""))
            elif true == said:
                pieces.append((text, "right"))
            else:
                pieces.append((f"{text}[{self.names[true]}→{self.names[said]}]", "wrong"))
        return pieces
