"""What can be done to attention weights: parts for `edited`, after https://arxiv.org/abs/2208.01626.

Each is called with weights (batch, heads, queries, keys) and their record. None of them scales a query's weights back
to a sum of 1, as in the paper.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mmattn.errors import ConfigError
from mmattn.lens.chosen import Which, chosen
from mmattn.lens.edit import Edit
from mmattn.lens.maps import Maps
from mmattn.lens.record import Record


class Chain:
    """One edit after the other; without any, the weights as they are."""

    def __init__(self, *edits: Edit) -> None:
        self.edits = edits

    def __call__(self, weights: Tensor, record: Record) -> Tensor:
        for edit in self.edits:
            weights = edit(weights, record)
        return weights


class Blend:
    """weights + alpha · (edit(weights) − weights): 0 leaves them, 1 is the edit."""

    def __init__(self, edit: Edit, alpha: float) -> None:
        if not 0 <= alpha <= 1:
            raise ConfigError(f"Blend: alpha={alpha} must lie between 0 and 1.")
        self.edit, self.alpha = edit, alpha

    def __call__(self, weights: Tensor, record: Record) -> Tensor:
        return torch.lerp(weights, self.edit(weights, record), self.alpha)


class Rescale:
    """The weights of some keys (a word's tokens) times a factor: more or less of the word."""

    def __init__(self, keys: Which, factor: float) -> None:
        self.keys, self.factor = keys, factor

    def __call__(self, weights: Tensor, record: Record) -> Tensor:
        factors = weights.new_ones(weights.shape[-1])
        factors[chosen(self.keys, weights.shape[-1], "keys", record.where)] = self.factor
        return weights * factors


class Replace:
    """The maps that were recorded for another prompt, call by call, in the place of this one's.

    A layer's call is given the source's call of the same number, so both runs sample with the same steps.

    Args:
        source: captured without `reduce`, with all heads; of the same batch, or of one row for all.
        mapping: for each key the source's key whose weights it takes, and −1 where it keeps its own, as `aligned` says;
            None: the same key (a word is swapped).
        share: of the source's steps, from the first on, in which weights are replaced; the others are left.
    """

    def __init__(self, source: Maps, mapping: Sequence[int] | None = None, share: float = 1.0) -> None:
        if not 0 <= share <= 1:
            raise ConfigError(f"Replace: share={share} of the steps must lie between 0 and 1.")
        self.source, self.mapping, self.share = source, mapping, share

    def __call__(self, weights: Tensor, record: Record) -> Tensor:
        steps = len(self.source[record.layer])
        if record.step >= steps:
            raise ConfigError(f"{record.where} is called, and the source has {steps} steps: sample both alike.")
        if record.step >= self.share * steps:
            return weights
        (source,) = self.source.records(record.layer, record.step)
        mapping = self._mapping(weights.shape[-1], source)
        taken = mapping >= 0
        theirs = source.weights(keys=mapping[taken]).to(weights)
        if theirs.shape[1:3] != weights.shape[1:3] or theirs.shape[0] not in (1, weights.shape[0]):
            raise ConfigError(
                f"{record.where} has (batch, heads, queries) {tuple(weights.shape[:3])}, and the source "
                f"{tuple(theirs.shape[:3])}: record all heads, with as many queries, for the same batch or one row."
            )
        after = weights.clone()
        after[..., taken.to(weights.device)] = theirs.expand(len(weights), -1, -1, -1)
        return after

    def _mapping(self, keys: int, source: Record) -> Tensor:
        of_source = source.key.shape[2]
        if self.mapping is None and keys != of_source:
            raise ConfigError(
                f"Replace: '{source.layer}' reads {keys} keys, and the source's {of_source}: without a mapping both "
                "need equally many; give Replace a mapping, such as aligned(words, other_words)."
            )
        mapping = torch.arange(keys) if self.mapping is None else torch.as_tensor(self.mapping, dtype=torch.long)
        if len(mapping) != keys:
            raise ConfigError(f"Replace: the mapping has {len(mapping)} entries, and '{source.layer}' {keys} keys.")
        if keys and not -1 <= int(mapping.min()) <= int(mapping.max()) < of_source:
            raise ConfigError(f"Replace: the mapping names keys outside of −1 … {of_source - 1}, the source's.")
        return mapping
