"""What a rule of the tokenizer contract looks at, and how it complains."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mmattn.contracts.sameness import in_double
from mmattn.data.source import Sample
from mmattn.errors import ContractError
from mmattn.sequence import Side, TokenSequence
from mmattn.tokenizer import Prepared, Tokenizer

TOLERANCE = 1e-6  # in float64: room for another order of summation, not for another result
SIDES: tuple[Side, ...] = ("right", "left")


@dataclass(frozen=True)
class Case:
    """A private copy of the tokenizer (evaluation mode, float64), raw samples, and these prepared."""

    tokenizer: Tokenizer
    samples: Sequence[Sample]
    prepared: Sequence[Prepared]

    def tokens(self, prepared: Sequence[Prepared], side: Side = "right") -> TokenSequence:
        with torch.no_grad():
            return self.tokenizer(in_double(self.tokenizer.collate(prepared, side)))

    def batches(self) -> Iterator[tuple[str, TokenSequence]]:
        """All samples in one batch, padded on either side, and words for which side it is."""
        for side in SIDES:
            yield f"padding on the {side}", self.tokens(self.prepared, side)


Rule = Callable[[Case], bool | None]
"""Raises `ContractError` where it is broken; False says that the tokenizer does not offer what it is about."""


def name_of(rule: Rule) -> str:
    return rule.__name__.replace("_", " ")


def require(truth: bool | Tensor, rule: Rule, remedy: str) -> None:
    if not bool(truth):
        raise ContractError(f"the tokenizer breaks the rule '{name_of(rule)}': {remedy}.")
