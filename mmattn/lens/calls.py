"""The maps of every call of every layer, each as its mean over heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mmattn.errors import ConfigError
from mmattn.lens.record import LIMIT, Record, fits


class Calls:
    """Maps (queries, keys) by layer and step, of one row of the batch: given to `capture` as `reduce`.

    Args:
        count: calls that will come, layers × steps: what they take together is known at the first.
        keep: leave the records to the capture, too, as `Replace` needs them.
        row: of the batch; with guidance, the first half reads the prompt, and the other nothing.
        limit: bytes that all maps together may take, and all records.
    """

    def __init__(self, count: int, *, keep: bool = False, row: int = 0, limit: int = LIMIT) -> None:
        self.count, self.keep, self.row, self.limit = count, keep, row, limit
        self.maps: dict[tuple[str, int], Tensor] = {}

    @torch.no_grad()
    def __call__(self, record: Record) -> Record | None:
        """The weights that follow from a record. Raises ConfigError where all calls' would be larger than `limit`."""
        self._fits(record)
        mean = [block[self.row].mean(0) for _, block in record.blocks()]
        self.maps[record.layer, record.step] = torch.cat(mean)
        return record if self.keep else None

    def used(self, weights: Tensor, record: Record) -> Tensor:
        """As the last edit of a `Chain`: takes the weights as they were changed, and leaves them so."""
        self._fits(record)
        self.maps[record.layer, record.step] = weights[self.row].detach().mean(0)
        return weights

    def mean(self, layer: str | None = None, step: int | None = None) -> Tensor:
        """(1, queries, keys): over all layers and steps, or those of one layer, or of one step."""
        chosen = [map for (of, at), map in self.maps.items() if layer in (None, of) and step in (None, at)]
        if not chosen:
            raise ConfigError("There is no mean of no maps: run the model inside `with capture(…)` first.")
        return torch.stack(chosen).mean(0, keepdim=True)

    @property
    def layers(self) -> Sequence[str]:
        """Names, in the order of the model."""
        return list(dict.fromkeys(layer for layer, _ in self.maps))

    @property
    def steps(self) -> Sequence[int]:
        """Numbers of the calls, from 0."""
        return sorted({step for _, step in self.maps})

    def _fits(self, record: Record) -> None:
        if self.maps:
            return
        _, _, queries, keys = record.shape()
        fits((self.count, queries, keys), 4, self.limit, "All layers and steps together")
        if self.keep:  # keys are the memory's, one tensor for all steps
            fits((self.count, *record.query.shape), 4, self.limit, "Queries of all layers and steps, for an edit,")
