"""Two kinds of data in one space: pictures beside the captions that belong to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torchmetrics import MetricCollection

from mmattn.data.dataset import PreparedDataset
from mmattn.data.prompts import known
from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.report.cards import Card, item, title
from mmattn.tasks.base import Scores, Task
from mmattn.tasks.meanings import Meaning, Meanings
from mmattn.tasks.pair_losses import PairLoss
from mmattn.tasks.parts import context_of, part_of
from mmattn.tasks.retrieval import Candidates, Hard, Recall, RecallBack
from mmattn.tokenizer import Batch, Prepared, Tokenizer

SHOWN = 4  # contexts beside each sample of a report


class Contrastive(Task):
    """Two towers: `backbone` and `head` over the tokenizer's target, `encoder` and `encoder_head` over the context.

    Measured are recall at 1 both ways among the `candidates` of a split that say different things, and `hard`: how
    often a sample is nearer to its context than to each wrong one.

    Args:
        loss: of the pairs' directions, see `mmattn.tasks.pair_losses`.
        encoder_head: the head of the context's tower: (dim, tokenizer, classes) → module.
        context: the part of the tokenizer that is the other side of a pair.
        encoder: a backbone over the context's tokens; None: they are pooled as they are.
        wrong: names of further values (`tokenizer.also`) that are contexts which do not belong to their sample: hard
            negatives (https://arxiv.org/abs/2210.01936).
        meaning: what a text of the context says, where unlike texts may say the same.
        prompts: contexts that stand for classes; `mmattn predict` says which of them a sample is nearest to.
    """

    monitor = "validation/recall"
    mode = "max"
    heads = ("projection",)

    def __init__(
        self,
        *args: Any,
        loss: PairLoss,
        encoder_head: Callable[..., nn.Module],
        context: str = "text",
        encoder: nn.Module | None = None,
        wrong: Sequence[str] = (),
        meaning: Meaning | None = None,
        prompts: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        source, also = context_of(self.tokenizer, context), getattr(self.tokenizer, "also", {})
        for name in wrong:
            if also.get(name) != context:
                raise ConfigError(f"task.wrong names '{name}': set tokenizer.also={{{name}: {context}}}.")
        self.context, self.encoder, self.wrong, self.prompts = context, encoder, tuple(wrong), tuple(prompts)
        self.loss, self.encoder_head = loss, encoder_head(dim=source.dim, tokenizer=source, classes=None)
        self.labels = Meanings(context, meaning)
        if wrong:
            for metrics in self.metrics.values():
                metrics.add_metrics({"hard": Hard()})  # type: ignore[operator]

    def measures(self) -> MetricCollection:
        return MetricCollection({"recall": Recall(), "recall_back": RecallBack(), "candidates": Candidates()})

    def compared(self, scores: Scores, batch: Batch) -> tuple[Any, ...]:
        return scores.prediction, scores.target, batch["labels"]

    @property
    def source(self) -> Any:
        """The tokenizer of the context."""
        return part_of(self.tokenizer, self.context)

    @property
    def reads(self) -> Tokenizer:
        return self.tokenizer.modelled

    def evaluate(self, batch: Batch) -> Scores:
        first = self.directions(batch[str(self.tokenizer.target)])
        second = torch.stack([self.context_directions(batch[name]) for name in (self.context, *self.wrong)], 1)
        everywhere = partial(gathered, gather=self._gather())
        pairs, partners, meanings = everywhere(first), everywhere(second), everywhere(batch["labels"])
        loss = self.loss(pairs, partners[:, 0], partners[:, 1:], meanings[:, None] == meanings)
        return Scores(loss, len(first), first, second)

    def directions(self, batch: Batch) -> Tensor:
        """(documents, size) of a batch of the target."""
        return self.head(self.backbone(self.tokenizer.modelled(batch)), len(batch["lengths"]))

    def context_directions(self, batch: Batch) -> Tensor:
        """(documents, size) of a batch of the context."""
        tokens = self.source(batch)
        return self.encoder_head(tokens if self.encoder is None else self.encoder(tokens), len(batch["lengths"]))

    def _gather(self) -> Callable[[Tensor], Any] | None:
        """In training on several devices, each sees the pairs of all, which must be as many on each."""
        if not (self.training and distributed.is_available() and distributed.is_initialized()):
            return None
        return partial(self.all_gather, sync_grads=True)

    # -- classes by prompts -----------------------------------------------------------------------------------------

    def setup(self, stage: str) -> None:
        """Refuse prompts with words that training never shows."""
        for text in self.prompts if stage == "fit" else ():
            known(self.source, Sample("task.prompts", text))

    @torch.no_grad()
    def zero_shot(self, prepared: Sequence[Prepared], prompts: Sequence[str]) -> Tensor:
        """Chances (samples, prompts), by how near each sample of the target is to each text."""
        return self._nearest(self.collated(self.tokenizer.modelled, prepared), prompts)

    def _nearest(self, batch: Batch, prompts: Sequence[str]) -> Tensor:
        texts = [self.source.prepare(Sample(f"the prompt '{text}'", text)) for text in prompts]
        said = self.context_directions(self.collated(self.source, texts))
        return (self.loss.scale * self.directions(batch) @ said.T).softmax(-1)

    def said(self, batch: Batch) -> Sequence[Tensor]:
        """The chances of the prompts for each document of a batch of the target."""
        if not self.prompts:
            raise ConfigError("No classes are named: set task.prompts to texts that stand for them.")
        return self._nearest(batch, self.prompts).unbind()

    def predicted(self, pieces: Sequence[Prepared], chances: Sequence[Tensor]) -> dict[str, Any]:
        """The nearest of the prompts as `label`, and the `probabilities` of all."""
        probabilities = dict(zip(self.prompts, torch.stack(list(chances)).mean(0).tolist(), strict=True))
        return {"label": max(probabilities, key=probabilities.__getitem__), "probabilities": probabilities}

    @torch.no_grad()
    def cards(self, dataset: PreparedDataset, indices: Sequence[int]) -> list[Card]:
        """Each sample, and which of the contexts shown here it is nearest to."""
        items = [item(dataset, index) for index in indices]
        shown: list[Any] = [self.source.show(each[self.context]) for each in items]
        said = list(dict.fromkeys(each for each in shown if isinstance(each, str)))
        if len(said) < 2:
            return []
        target = str(self.tokenizer.target)
        chances = self.zero_shot([each[target] for each in items], said).tolist()
        found = []
        for index, each, truth, row in zip(indices, items, shown, chances, strict=True):
            order = sorted(zip(said, row, strict=True), key=lambda pair: -pair[1])[:SHOWN]
            picture: Any = self.tokenizer.modelled.show(each[target])
            parts = [] if picture is None else [("", picture)]
            found.append(Card(title(dataset, index), parts, order[0][0] == truth, order, truth))
        return found


def gathered(values: Tensor, gather: Callable[[Tensor], Any] | None) -> Tensor:
    """Rows of all processes, in their order; `gather` gives (processes, rows, …) for (rows, …), and is None for one."""
    return values if gather is None else gather(values).flatten(0, 1)
