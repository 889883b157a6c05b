"""What masked modelling hides: tokens of the data, global ones too, and never what has nothing to guess."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mmattn.build import build
from mmattn.composition.compose import composed
from mmattn.data.source import Sample
from mmattn.tokenizers.text import ByteTokenizer
from mmattn.tokenizers.words import WordTokenizer

TEXT = ["experiment=text", "task=masked_modelling", "pattern=full", "backbone.dim=16", "backbone.depth=1"]


def model(*words, **tokenizer):
    torch.manual_seed(0)
    return build(composed([*TEXT, "task.fraction=0.5", "tokenizer.stride=200", *words])).task


def batch_of(task, *texts, side="right"):
    return task.tokenizer.collate([task.tokenizer.prepare(Sample(text, text)) for text in texts], side)


class EveryTokenGlobal(ByteTokenizer):
    def embed(self, batch):
        tokens = super().embed(batch)
        return replace(tokens, info=replace(tokens.info, is_global=tokens.info.real))


class NoPlaces(ByteTokenizer):
    def embed(self, batch):
        tokens = super().embed(batch)
        return replace(tokens, info=replace(tokens.info, coordinates=torch.full_like(tokens.info.coordinates, -1)))


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("kind", [EveryTokenGlobal, NoPlaces])
def test_tokens_of_the_data_are_hidden_whatever_else_they_are(kind, side):
    task = model("tokenizer.prefix=2", "position=none")
    task.tokenizer.__class__ = kind
    tokens, own, hidden, _ = task.guess(batch_of(task, "abcdef" * 10, "gh" * 10, side=side))
    assert torch.equal(own, tokens.ids >= 0) and 20 < int(hidden.sum()) < 60
    assert not (hidden & ~own).any()


def test_a_label_of_a_token_without_a_place_is_kept():
    tagging = build(composed(["experiment=text_tagging", "backbone.dim=16", "backbone.depth=1", "position=none",
                              "data.shortest=60", "data.longest=80"])).task  # fmt: skip
    tagging.tokenizer.__class__ = NoPlaces
    batch = {**batch_of(tagging, "ab", "c"), "labels": torch.tensor([[0, 1], [2, -1]])}
    assert tagging.evaluate(batch).count == 3


def test_a_batch_of_special_tokens_alone_costs_nothing():
    task = model("tokenizer=words", "tokenizer.stride=null", "tokenizer.max_length=null")
    assert isinstance(task.tokenizer, WordTokenizer)
    scores = task.evaluate(batch_of(task, "qqqq zzzz", "vvvv"))
    assert scores.count == 0 and scores.loss.item() == 0
    scores = task.evaluate(batch_of(task, "qqqq the", "vvvv"))
    assert scores.count == 1 and scores.loss.item() > 0
