"""Hidden tokens, guessed from the rest (BERT, https://arxiv.org/abs/1810.04805; SimMIM, https://arxiv.org/abs/2111.09886)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from mmattn.data.dataset import PreparedDataset
from mmattn.errors import ConfigError
from mmattn.limits import within
from mmattn.report.cards import Card, Mark, item, title
from mmattn.sequence import TokenSequence
from mmattn.tasks.base import Scores, Task
from mmattn.tokenizer import Batch, token_info


class MaskedModelling(Task):
    """Hides `fraction` of the tokens: discrete ones are classified, continuous ones regressed.

    A hidden token's embedding becomes a learned one. Validation hides the same tokens every time.
    """

    heads = ("tokens", "content")

    def __init__(self, *args: Any, fraction: float = 0.15, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        within("task.fraction", fraction, above=0, below=1)
        if not self.tokenizer.local:
            raise ConfigError(
                "task=masked_modelling hides tokens after they are embedded, and this tokenizer's tokens also hold "
                "their neighbours' content; use one without a convolutional stem."
            )
        self.fraction = fraction
        self.mask_token = nn.Parameter(torch.randn(self.tokenizer.dim) * 0.02)

    def guess(self, batch: Batch) -> tuple[TokenSequence, Tensor, Tensor, Tensor]:
        """The tokens, which of them `embed` made, which of those are hidden, and the head's guess at these."""
        tokens = self.tokenizer(batch)
        real = self.tokenizer.own(tokens.info)
        hidden = self.choose(tokens, real)
        embeddings = torch.where(hidden[..., None], self.mask_token.to(tokens.embeddings.dtype), tokens.embeddings)
        out = self.backbone(tokens.with_embeddings(embeddings))
        return tokens, real, hidden, self.head(TokenSequence(out.embeddings[hidden], out.info))

    def evaluate(self, batch: Batch) -> Scores:
        tokens, real, hidden, guess = self.guess(batch)
        if tokens.ids is not None:
            loss = cross_entropy(guess, tokens.ids[hidden], reduction="sum")
            return Scores(loss / max(len(guess), 1), len(guess))  # a batch may hold special tokens alone
        content = self.tokenizer.content(batch)
        assert content is not None  # a tokenizer without ids whose tokens are local has their content
        target = content[token_info(batch).real][hidden[real]]  # the same tokens in the same order, without the prefix
        return Scores(mse_loss(guess, target.to(guess.dtype)), len(guess))

    def choose(self, tokens: TokenSequence, real: Tensor) -> Tensor:
        """bool (batch, length): the tokens to hide, never special ones; at least one, where the batch has others."""
        generator = None
        if not self.training:
            generator = torch.Generator(real.device).manual_seed(0)
        chance = torch.rand(real.shape, device=real.device, generator=generator)
        for special in self.tokenizer.special_ids if tokens.ids is not None else ():
            real = real & (tokens.ids != special)
        chance = chance.masked_fill(~real, 2.0)
        least = chance.flatten().argmin()
        hidden = (chance < self.fraction).flatten()
        hidden[least] = True
        return hidden.view_as(real) & real

    @torch.no_grad()
    def cards(self, dataset: PreparedDataset, indices: Sequence[int]) -> list[Card]:
        """Pictures: original, what was left of it, and the guess. Discrete tokens: the text with the guesses marked."""
        found = []
        for index in indices:
            batch = dataset.batch([(0, index)])
            tokens, real, hidden, guess = self.guess(batch)
            prepared, hidden = item(dataset, index), hidden[real]
            content = self.tokenizer.content(batch)
            parts: list[Any] = []
            if tokens.ids is not None and self.tokenizer.vocabulary is not None:
                truth, names = tokens.ids[real], self.tokenizer.vocabulary
                parts = [("hidden tokens: right, or truth→guess", marked(names, truth, hidden, guess.argmax(-1)))]
            elif content is not None:
                masked, guessed = content[0].clone(), content[0].clone()
                masked[hidden], guessed[hidden] = 0, guess.to(content.dtype)  # 0 is the mean: grey
                views = {"original": content[0], "hidden": masked, "guess": guessed}
                pictures = {name: self.tokenizer.picture(view, prepared) for name, view in views.items()}
                parts = [(name, picture) for name, picture in pictures.items() if picture is not None]
            found.append(Card(title(dataset, index), parts))
        return found


def marked(names: Sequence[str], truth: Tensor, hidden: Tensor, guess: Tensor) -> list[tuple[str, Mark]]:
    """Tokens by name; of each hidden one, whether its guess was right."""
    pieces: list[tuple[str, Mark]] = []
    guesses = iter(guess.tolist())
    for token, was_hidden in zip(truth.tolist(), hidden.tolist(), strict=True):
        chosen = next(guesses) if was_hidden else token
        right = f"[{names[token]}]" if was_hidden else names[token]
        pieces.append((right if chosen == token else f"[{names[token]}→{names[chosen]}]",
                       "" if not was_hidden else "right" if chosen == token else "wrong"))  # fmt: skip
    return pieces
