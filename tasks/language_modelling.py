"""The next token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mmattn.data.dataset import PreparedDataset
from mmattn.errors import ConfigError
from mmattn.limits import within
from mmattn.report.cards import Card, item, title
from mmattn.sequence import TokenSequence
from mmattn.tasks.base import Scores, Task
from mmattn.tasks.causality import LENGTH, ROWS, looks_ahead, place_of, trial
from mmattn.tasks.next_token import behind, chosen, guessed, next_tokens
from mmattn.tokenizer import Batch

PROMPT, CONTINUATION, SHOWN = 64, 240, 4
"""Tokens of a report's generated texts, and how many texts."""


def with_prefix(tokens: TokenSequence, sizes: Tensor) -> TokenSequence:
    """The first `sizes[document]` tokens of each document, marked as its prefix for `pattern=prefix_lm`."""
    info = tokens.info
    prefix = info.real & (info.order < sizes[info.document.clamp(min=0)])
    return replace(tokens, info=replace(info, extra={**info.extra, "prefix": prefix}))


class LanguageModelling(Task):
    """Cross-entropy of the next token, in nats a token, within documents. The backbone must be causal.

    `prefix` goes with pattern=prefix_lm: the tokens that each document begins with, which see each other, so that only
    those behind them are learned (T5, https://arxiv.org/abs/1910.10683). It is the share of a document that they are in
    evaluation; in training the share is random, and in generation they are the prompt.
    """

    heads = ("tokens",)

    def __init__(self, *args: Any, prefix: float | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.tokenizer.vocabulary is None:
            raise ConfigError(
                f"task=language_modelling needs discrete tokens; {type(self.tokenizer).__name__} has none."
            )
        if prefix is not None:
            within("task.prefix", prefix, above=0, below=1)
        self.prefix = prefix

    def setup(self, stage: str) -> None:
        """Refuse a backbone that shows tokens before they are guessed: its loss would mean nothing."""
        tokens = trial(self.tokenizer, place_of(self.backbone))
        if self.prefix is not None:
            tokens = with_prefix(tokens, tokens.info.order.new_full((ROWS,), LENGTH // 2))
        shows = looks_ahead(self.backbone, tokens.info, next_tokens(tokens).roll(1, 1) >= 0)
        if shows is not None:
            raise ConfigError(
                f"{shows} shows tokens before they are guessed; set pattern=causal for attention, windows whose "
                "`after` is 0 for convolutions, both_ways=false for recurrent layers, or another part."
            )
        if self.prefix is not None and looks_ahead(self.backbone, tokens.info, tokens.info.extra["prefix"]) is None:
            raise ConfigError(f"task.prefix={self.prefix} needs attention that reads it; set pattern=prefix_lm.")

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Scores (targets, vocabulary) and ids (targets,) of every token that has a next one to guess."""
        tokens = self.tokenizer(batch)
        if self.prefix is not None:
            lengths = batch["lengths"]
            share = torch.rand(lengths.shape, device=lengths.device) if self.training else self.prefix
            tokens = with_prefix(tokens, self.tokenizer.prefix.count + (share * lengths).long())
        return guessed(self.head, self.backbone(tokens), next_tokens(tokens))

    def evaluate(self, batch: Batch) -> Scores:
        scores, target = self(batch)
        loss = cross_entropy(scores, target, reduction="sum") / max(len(target), 1)  # a batch may hold single tokens
        return Scores(loss, len(target))

    @torch.no_grad()
    def generate(self, ids: list[int], count: int, *, temperature: float = 1.0, seed: int = 0) -> list[int]:
        """`count` more ids after `ids` (at least one), sampled at `temperature` (0: the likeliest), with a cache.

        Where the tokenizer ends samples with a token, the prompt loses it, and generation stops behind it.
        """
        ids = self._opened(ids)
        if not ids or temperature < 0:
            raise ConfigError("generation needs a prompt of at least one token and a temperature ≥ 0.")
        was_training = self.training
        self.eval()
        generator = torch.Generator(self.device).manual_seed(seed)
        out, state, seen = list(ids), None, 0
        for _ in range(count):
            hidden, state = self.backbone.step(self._tokens(out, len(ids), seen), state)
            seen += hidden.embeddings.shape[1]
            scores = self.head(hidden.with_embeddings(hidden.embeddings[:, -1:]))[:, -1]
            out.append(int(chosen(scores, temperature, [generator])))
            if out[-1] == self._end:
                break
        self.train(was_training)
        return out

    @property
    def _end(self) -> int | None:
        """The id that ends samples, where the tokenizer sets one."""
        return self.tokenizer.eos_id if getattr(self.tokenizer, "eos", False) else None

    def _opened(self, ids: list[int]) -> list[int]:
        return ids[:-1] if ids and ids[-1] == self._end else ids

    def _tokens(self, ids: list[int], prompt: int, seen: int) -> TokenSequence:
        """The tokens of a text, of which `prompt` ids were given, as in training, without the first `seen`."""
        batch = self.tokenizer.collate([{"ids": torch.tensor(ids)}])
        tokens = self.tokenizer(self.transfer_batch_to_device(batch, self.device, 0))
        assert tokens.ids is not None
        if self.prefix is not None:
            tokens = with_prefix(tokens, tokens.info.order.new_tensor([self.tokenizer.prefix.count + prompt]))
        return behind(tokens, seen)

    @torch.no_grad()
    def cards(self, dataset: PreparedDataset, indices: Sequence[int]) -> list[Card]:
        """The beginnings of some items, and how the model goes on with them."""
        found = []
        for index in indices[:: max(len(indices) // SHOWN, 1)][:SHOWN]:
            prompt = self._opened(item(dataset, index)["ids"].tolist()[:PROMPT])
            if not prompt:  # the last piece of a long sample may be its end mark alone
                continue
            room = (self.tokenizer.max_length or PROMPT + CONTINUATION) - len(prompt) - self.tokenizer.prefix.count
            ids = self.generate(prompt, max(min(CONTINUATION, room), 0), temperature=0.8, seed=index)
            before, after = (self.tokenizer.restore(torch.tensor(part)) for part in (prompt, ids[len(prompt) :]))
            found.append(Card(title(dataset, index), [("prompt, and generated text", [(before, ""), (after, "new")])]))
        return found
