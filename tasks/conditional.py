"""Tasks that make one part of a sample from another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from mmattn.errors import ConfigError
from mmattn.limits import within
from mmattn.sequence import TokenSequence
from mmattn.tasks.guidance import nothing, without
from mmattn.tasks.keeping import KeepingTask
from mmattn.tasks.parts import context_of, part_of
from mmattn.tokenizer import Batch

Judge = Callable[[Any], Mapping[str, float]]
"""(task) → name → figure, of what the task makes."""


class ConditionalTask(KeepingTask):
    """`tokenizer.target` is made, and `context`, another part, is read through an encoder.

    Args:
        context: the part of the tokenizer that is read.
        encoder: a backbone over the context's tokens; None: they are read as they are.
        drop_context: the share of training samples whose context is hidden, for guidance
            (https://arxiv.org/abs/2207.12598): their tokens read nothing. 0: there is no guidance, and nothing is made
            without a context.
        judge: looks at what is made of contexts at the test, and gives figures.

    Raises `ConfigError` for a context that there is not, or that is the target, too, and for shares that are none.
    """

    def __init__(
        self,
        *args: Any,
        context: str,
        encoder: nn.Module | None = None,
        drop_context: float = 0.0,
        judge: Judge | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        within("task.drop_context", drop_context, least=0, below=1)
        self.context, self.encoder, self.drop_context, self.judge = context, encoder, drop_context, judge
        context_of(self.tokenizer, context)

    @property
    def source(self) -> Any:
        """The tokenizer of the context."""
        return part_of(self.tokenizer, self.context)

    @property
    def draws(self) -> bool:
        """Whether what is made are pictures."""
        return hasattr(self.tokenizer.modelled, "channels")

    @property
    def width_read(self) -> int:
        """Width of the tokens that are read: as the encoder leaves them, or as they come where there is none."""
        return int(getattr(self.encoder, "out_dim", self.source.dim))

    def encode(self, batch: Batch) -> TokenSequence:
        """What is read of a batch of the context."""
        tokens = self.source(batch)
        return tokens if self.encoder is None else self.encoder(tokens)

    def dropped(self, memory: TokenSequence) -> TokenSequence:
        """In training, the memory with a share `drop_context` of its rows hidden."""
        if not self.training or not self.drop_context:
            return memory
        rows = len(memory.info.document)
        return without(memory, torch.rand(rows, device=memory.info.document.device) < self.drop_context)

    def no_context(self, count: int) -> TokenSequence:
        """A memory of nothing for so many samples. Raises `ConfigError` where training hid no context."""
        if not self.drop_context:
            raise ConfigError("This run makes nothing without a context (task.drop_context=0): give a prompt.")
        return nothing(count, self.width_read, self.device)

    def strength(self, guidance: float | None, default: float) -> float:
        """The guidance that is asked for; None: `default` where training hid contexts, and 1 where it did not.

        Raises `ConfigError` for one below 0, and for one other than 1 where training hid no context.
        """
        if guidance is None:
            return default if self.drop_context else 1.0
        within("guidance", guidance, least=0, below=float("inf"))
        if guidance != 1 and not self.drop_context:
            raise ConfigError(
                f"guidance={guidance} is for runs trained with task.drop_context above 0, and not this one."
            )
        return guidance

    def on_test_epoch_end(self) -> None:
        if self.judge is not None:
            self.log_dict({f"test/{name}": value for name, value in self.judge(self).items()})
