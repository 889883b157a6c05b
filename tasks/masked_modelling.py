"""Hidden tokens, guessed from the rest (BERT, https://arxiv.org/abs/1810.04805; SimMIM, https://arxiv.org/abs/2111.09886)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from mmattn.errors import ConfigError
from mmattn.sequence import TokenSequence
from mmattn.tasks.base import Scores, Task
from mmattn.tokenizer import Batch


class MaskedModelling(Task):
    """Hides `fraction` of the tokens: discrete ones are classified, continuous ones regressed.

    A hidden token's embedding becomes a learned one. Validation hides the same tokens every time.
    """

    def __init__(self, *args: Any, fraction: float = 0.15, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not 0 < fraction < 1:
            raise ConfigError(f"task.fraction={fraction} must lie between 0 and 1.")
        if not self.tokenizer.local:
            raise ConfigError(
                "task=masked_modelling hides tokens after they are embedded, and this tokenizer's tokens also hold "
                "their neighbours' content; use one without a convolutional stem."
            )
        self.fraction = fraction
        self.mask_token = nn.Parameter(torch.randn(self.tokenizer.dim) * 0.02)

    def evaluate(self, batch: Batch) -> Scores:
        tokens = self.tokenizer(batch)
        real = tokens.info.real & ~tokens.info.is_global
        hidden = self.choose(tokens, real)
        embeddings = torch.where(hidden[..., None], self.mask_token.to(tokens.embeddings.dtype), tokens.embeddings)
        out = self.backbone(tokens.with_embeddings(embeddings))
        guess = self.head(TokenSequence(out.embeddings[hidden], out.info))
        if tokens.ids is not None:
            return Scores(cross_entropy(guess, tokens.ids[hidden]), len(guess))
        content = self.tokenizer.content(batch)
        assert content is not None  # a tokenizer without ids whose tokens are local has their content
        place = torch.arange(content.shape[1], device=content.device)[None]
        lengths, left = batch["lengths"][:, None], batch["layout"].side == "left"
        kept = place >= content.shape[1] - lengths if left else place < lengths
        target = content[kept][hidden[real]]  # the same tokens in the same order, without the prefix
        return Scores(mse_loss(guess, target.to(guess.dtype)), len(guess))

    def choose(self, tokens: TokenSequence, real: Tensor) -> Tensor:
        """bool (batch, length): the tokens to hide, at least one of the batch, never a special one or padding."""
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
