"""The next token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from mmattn.data.dataset import PreparedDataset
from mmattn.errors import ConfigError
from mmattn.patterns import Visibility
from mmattn.report.cards import Card, item, title
from mmattn.sequence import PADDING, TokenInfo, TokenSequence
from mmattn.tasks.base import Scores, Task
from mmattn.tokenizer import Batch

PROMPT, CONTINUATION, SHOWN = 64, 240, 4
"""Tokens of a report's generated texts, and how many texts."""


def next_tokens(tokens: TokenSequence) -> Tensor:
    """The id after each token in its own document (batch, length); -1 where there is none."""
    assert tokens.ids is not None
    document, target = tokens.info.document, torch.full_like(tokens.ids, PADDING)
    same = (document[:, 1:] == document[:, :-1]) & (document[:, 1:] >= 0)
    target[:, :-1] = torch.where(same, tokens.ids[:, 1:], PADDING)
    return target


class LanguageModelling(Task):
    """Cross-entropy of the next token, in nats a token, within documents. The backbone's mixers must be causal."""

    heads = ("tokens",)

    def setup(self, stage: str) -> None:
        """Refuse a backbone whose attention shows later tokens: its loss would mean nothing."""
        info = TokenInfo.from_lengths([64])
        for name, part in self.backbone.named_modules():
            pattern = getattr(part, "pattern", None)
            if pattern is not None and "prefix" not in str(pattern).lower():
                if bool(Visibility(pattern, info).mask[0, 0].triu(1).any()):
                    raise ConfigError(f"{name} has {pattern}, which shows later tokens; set pattern=causal.")

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Scores (targets, vocabulary) and ids (targets,) of every token that has a next one."""
        tokens = self.tokenizer(batch)
        if tokens.ids is None:
            raise ConfigError(
                f"task=language_modelling needs discrete tokens; {type(self.tokenizer).__name__} has none."
            )
        target = next_tokens(tokens)
        known = target >= 0
        out = self.backbone(tokens)
        picked = TokenSequence(out.embeddings[known], out.info)  # the head works on each token alone
        return self.head(picked), target[known]

    def evaluate(self, batch: Batch) -> Scores:
        scores, target = self(batch)
        loss = cross_entropy(scores, target, reduction="sum") / max(len(target), 1)  # a batch may hold single tokens
        return Scores(loss, len(target))

    @torch.no_grad()
    def generate(self, ids: list[int], count: int, *, temperature: float = 1.0, seed: int = 0) -> list[int]:
        """`count` more ids after `ids` (at least one), sampled at `temperature` (0: the likeliest), with a cache.

        Where the tokenizer ends samples with a token, the prompt loses it, and generation stops behind it.
        """
        end = self.tokenizer.eos_id if getattr(self.tokenizer, "eos", False) else None
        ids = ids[:-1] if ids and ids[-1] == end else ids
        if not ids or temperature < 0:
            raise ConfigError("generation needs a prompt of at least one token and a temperature ≥ 0.")
        was_training = self.training
        self.eval()
        generator = torch.Generator(self.device).manual_seed(seed)
        out, new, state = list(ids), torch.tensor([ids], device=self.device), None
        for _ in range(count):
            tokens = self._at(new, len(out) - new.shape[1])
            hidden, state = self.backbone.step(tokens, state)
            scores = self.head(hidden.with_embeddings(hidden.embeddings[:, -1:]))[0, -1]
            chosen = scores.argmax()
            if temperature > 0:
                chosen = torch.multinomial((scores / temperature).softmax(-1), 1, generator=generator)[0]
            out.append(int(chosen))
            if out[-1] == end:
                break
            new = chosen.view(1, 1)
        self.train(was_training)
        return out

    def cards(self, dataset: PreparedDataset, indices: Sequence[int]) -> list[Card]:
        """The beginnings of some items, and how the model goes on with them."""
        found = []
        for index in indices[:: max(len(indices) // SHOWN, 1)][:SHOWN]:
            prompt = item(dataset, index)["ids"].tolist()[:PROMPT]
            room = (self.tokenizer.max_length or PROMPT + CONTINUATION) - len(prompt) - self.tokenizer.prefix.count
            ids = self.generate(prompt, max(min(CONTINUATION, room), 0), temperature=0.8, seed=index)
            before, after = (self.tokenizer.restore(torch.tensor(part)) for part in (prompt, ids[len(prompt) :]))
            found.append(Card(title(dataset, index), [("prompt, and generated text", [(before, ""), (after, "new")])]))
        return found

    def _at(self, ids: Tensor, start: int) -> TokenSequence:
        """Tokens of ids (1, new) that stand from place `start` on."""
        info = TokenInfo.from_lengths([start + ids.shape[1]], device=self.device)
        places = torch.arange(start, start + ids.shape[1], device=self.device)[None]
        table: Any = self.tokenizer.embedding  # a tokenizer with a vocabulary has one
        return TokenSequence(table(ids), info.pick(places, info.layout), ids)
