"""Which tokens those that are still to come may see: what decoding must keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmattn.patterns.facts import Facts
from mmattn.patterns.pattern import Pattern
from mmattn.patterns.ranges import Range, Truth
from mmattn.sequence import PADDING, TokenInfo

FAR = np.int64(2**40)  # beyond any sequence, and sums of a few do not wrap around


def still_seen(pattern: Pattern, info: TokenInfo) -> NDArray:
    """bool (batch, length): False for tokens that no later token of their document can see.

    In each row the last document alone goes on. It errs on one side: True may stand without need.
    """
    document, order = (fact.cpu().numpy().astype(np.int64) for fact in (info.document, info.order))
    place = np.where(document == PADDING, -1, np.arange(document.shape[1])).max(1, initial=-1, keepdims=True)
    last = np.take_along_axis(document, place.clip(0), 1)
    goes_on = (document == last) & (document != PADDING)
    newest = np.where(goes_on, order, -1).max(1, initial=-1, keepdims=True)
    seen = pattern.allows(_Later(Range(newest + 1, FAR), info), Facts(info, _exactly))  # type: ignore[arg-type]
    return goes_on & (seen.some if isinstance(seen, Truth) else np.asarray(seen, bool))


def _exactly(fact: Any) -> Range | Truth:
    values = fact.cpu().numpy()
    return Truth(values, values) if values.dtype == bool else Range(values.astype(np.int64), values.astype(np.int64))


@dataclass(frozen=True)
class _Later:
    """Facts of tokens of which no more is known than that they come later."""

    order: Range
    info: TokenInfo

    @property
    def document(self) -> Range:
        return _exactly(self.info.document)  # type: ignore[return-value]

    @property
    def modality(self) -> Range:
        return Range(-FAR, FAR)  # type: ignore[arg-type]

    @property
    def is_global(self) -> Truth:
        return Truth(np.array(True), np.array(False))

    @property
    def coordinates(self) -> list[Range]:
        return [self.modality] * self.info.coordinates.shape[-1]

    @property
    def extra(self) -> dict[str, Any]:
        return {
            name: self.is_global if fact.dtype == torch.bool else self.modality
            for name, fact in self.info.extra.items()
        }
