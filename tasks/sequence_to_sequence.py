"""One sequence from another: captions from pictures, picture tokens from captions."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mmattn.data.dataset import PreparedDataset
from mmattn.errors import ConfigError
from mmattn.limits import within
from mmattn.memory import Memory
from mmattn.report.cards import Card, item, title
from mmattn.report.pictures import pixels
from mmattn.sequence import TokenInfo, TokenSequence
from mmattn.tasks.base import Scores
from mmattn.tasks.causality import looks_ahead, place_of, trial
from mmattn.tasks.conditional import ConditionalTask
from mmattn.tasks.decoding import decode
from mmattn.tasks.meanings import Meaning
from mmattn.tasks.next_token import guessed, next_tokens
from mmattn.tokenizer import Batch, Prepared, Tokenizer

SHOWN = 16  # samples of a report
TEMPERATURE = 0.7  # of pictures: the likeliest ids together are often an empty one, and at 1 some ids belong to none
GUIDANCE = 1.5  # ids are drawn by chance: with more, some come that belong to no picture


class SequenceToSequence(ConditionalTask):
    """Encoder and decoder (https://arxiv.org/abs/1706.03762): the loss of the target's next token, in nats, its earlier
    ones and the encoded context being given. The target begins with `bos`; without `eos`, all are equally long.

    Besides the loss, `exact` is measured: the share of contexts of which the likeliest tokens, one by one, are right.

    Args (context, encoder, drop_context, judge: see `ConditionalTask`):
        checked: batches of the validation split of which `exact` is measured; 0: neither there nor on the test split.
        meaning: what a text of the target says, where unlike texts may say the same; None: the ids must be the same.
    """

    keeps = "longest"
    heads = ("tokens",)

    def __init__(self, *args: Any, checked: int = 1, meaning: Meaning | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.checked, self.meaning = checked, meaning
        if not getattr(self.target, "bos", False):
            part = f"tokenizer.parts.{self.tokenizer.target}"
            raise ConfigError(f"The first token is guessed from one that begins all: set {part}.bos=true.")
        # Tokens of the longest target seen in training, which no made one exceeds.
        self.longest = torch.tensor(0)

    @property
    def target(self) -> Any:
        """The tokenizer of what is made."""
        return self.tokenizer.modelled

    @property
    def reads(self) -> Tokenizer:
        return self.source

    @property
    def asks(self) -> tuple[str, ...]:
        """What `mmattn generate` may ask for."""
        return ("temperature", "guidance") if self.drop_context else ("temperature",)

    def setup(self, stage: str) -> None:
        """Refuse a backbone that shows tokens before they are guessed: its loss would mean nothing."""
        device = place_of(self.backbone)
        tokens = trial(self.target, device)
        generator = torch.Generator().manual_seed(2)
        context = torch.randn(1, 2, self.width_read, generator=generator)  # the same for all rows
        rows = len(tokens.embeddings)
        info = TokenInfo.from_lengths([2] * rows, device=device)
        memory = TokenSequence(context.expand(rows, -1, -1).to(device), info)
        shows = looks_ahead(self.backbone, tokens.info, next_tokens(tokens).roll(1, 1) >= 0, memory)
        if shows is not None:
            raise ConfigError(
                f"{shows} shows tokens before they are guessed; make its mixer causal: "
                "pattern=causal for attention, windows whose `after` is 0, both_ways=false of recurrent layers."
            )

    # -- training ---------------------------------------------------------------------------------------------------

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Scores (targets, vocabulary) and ids (targets,) of every token of the target but the first."""
        tokens, memory = self.target(batch[str(self.tokenizer.target)]), self.encode(batch[self.context])
        return guessed(self.head, self.backbone(tokens, self.dropped(memory)), next_tokens(tokens))

    def evaluate(self, batch: Batch) -> Scores:
        if self.training:
            self.longest.clamp_(min=batch[str(self.tokenizer.target)]["length"])
        scores, target = self(batch)
        return Scores(cross_entropy(scores, target), len(target))

    # -- making -----------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def make(
        self,
        prepared: Sequence[Prepared] | TokenSequence,
        *,
        temperature: float = 0.0,
        seed: int = 0,
        guidance: float = 1.0,
    ) -> list[Any]:
        """Raw values for contexts, as the context's tokenizer prepared them or as `encode` gave them; see `ids_for`."""
        context = prepared if isinstance(prepared, TokenSequence) else self.collated(self.source, prepared)
        return [self.target.restore(ids.cpu()) for ids in self.ids_for(context, temperature, seed, guidance)]

    def pictures(
        self,
        prepared: Sequence[Prepared] | None,
        *,
        count: int,
        seed: int = 0,
        temperature: float = TEMPERATURE,
        guidance: float | None = None,
    ) -> list[np.ndarray]:
        """uint8 pictures (height, width[, 3]) of contexts, or of `count` samples without any.

        guidance: None is `GUIDANCE` for tasks with `drop_context`, and 1 for others. Raises `ConfigError` where the
        target is texts, and where there are no contexts and none was hidden in training.
        """
        context = self.no_context(count) if prepared is None else prepared
        guidance = self.strength(guidance, GUIDANCE)
        guidance = 1.0 if prepared is None else guidance  # of nothing there is nothing to exaggerate
        made = self.make(context, temperature=temperature, seed=seed, guidance=guidance)
        if any(isinstance(each, str) for each in made):
            raise ConfigError(
                "This run makes texts, no pictures: `mmattn predict RUN FILE` says what it makes of a file."
            )
        return [pixels(each.numpy()) for each in made]

    def ids_for(
        self, context: Batch | TokenSequence, temperature: float = 0.0, seed: int = 0, guidance: float = 1.0
    ) -> Tensor:
        """Ids (documents, length) of the target for a batch of the context, without the first; -1 behind the end.

        None is longer than the longest target seen in training. Temperature 0 takes the likeliest ids; guidance more
        than 1 exaggerates what the context brings. Raises `ConfigError` for numbers with which nothing can be made.
        """
        within("temperature", temperature, least=0, below=math.inf)
        guidance = self.strength(guidance, 1.0)
        was_training = self.training
        self.eval()
        with torch.no_grad():
            memory = Memory(context if isinstance(context, TokenSequence) else self.encode(context))
        longest = int(self.longest)
        ids = decode(self.target, self.backbone, self.head, memory, longest, temperature, seed, guidance)
        self.train(was_training)
        return ids

    @property
    def measured(self) -> frozenset[str]:
        return super().measured | ({"validation/exact"} if self.checked else set())

    # -- measuring and showing --------------------------------------------------------------------------------------

    def validation_step(self, batch: Batch, index: int) -> Any:
        if index < self.checked:
            self._compare("validation", batch)
        return super().validation_step(batch, index)

    def test_step(self, batch: Batch, index: int) -> Any:
        if self.checked:
            self._compare("test", batch)
        return super().test_step(batch, index)

    def _compare(self, split: str, batch: Batch) -> None:
        right = self.right(batch)
        self.log(f"{split}/exact", sum(right) / len(right), prog_bar=True, batch_size=len(right))

    def right(self, batch: Batch) -> list[bool]:
        """Of each sample of a batch, whether what is made of its context is what stands there."""
        made, truth = self.ids_for(batch[self.context]), batch[str(self.tokenizer.target)]["ids"]
        return [self._said(a) == self._said(b) for a, b in zip(made.cpu(), truth.cpu(), strict=True)]

    def _said(self, ids: Tensor) -> Hashable:
        own = ids[(ids >= 0) & (ids != self.target.bos_id)]
        return tuple(own.tolist()) if self.meaning is None else self.meaning(self.target.restore(own))

    def said(self, batch: Batch) -> Sequence[Tensor]:
        """The likeliest ids for each document of a batch of the context."""
        return self.ids_for(batch).cpu().unbind()

    def predicted(self, pieces: Sequence[Prepared], chances: Sequence[Tensor]) -> dict[str, Any]:
        """The `text` that is made of a context. Raises `ConfigError` where no text is made."""
        made = self.target.restore(chances[0])
        if not isinstance(made, str):
            raise ConfigError(f"What is made of a context here is no text, but {self.tokenizer.target}.")
        return {"text": made}

    @torch.no_grad()
    def cards(self, dataset: PreparedDataset, indices: Sequence[int]) -> list[Card]:
        """What is made of the contexts of some items, beside what was there."""
        items = [item(dataset, index) for index in indices[:SHOWN]]
        batch = self.collated(self.source, [each[self.context] for each in items])
        # Texts as `exact` compares them, pictures as `pictures` draws them.
        texts = isinstance(self.target.show(items[0][str(self.tokenizer.target)]), str)
        made = self.ids_for(batch) if texts else self.ids_for(batch, TEMPERATURE, 0, self.strength(None, GUIDANCE))
        found = []
        for index, each, ids in zip(indices, items, made.cpu(), strict=False):
            truth = each[str(self.tokenizer.target)]
            own = {"ids": ids[ids >= 0]}
            shown = [
                ("", self.source.show(each[self.context])),
                ("data", self.target.show(truth)),
                ("made", self.target.show(own)),
            ]
            right = self._said(own["ids"]) == self._said(truth["ids"]) if self.checked else None
            found.append(Card(title(dataset, index), [part for part in shown if part[1] is not None], right))
        return found
