"""The mean of many maps, without holding them."""

from __future__ import annotations

import torch
from torch import Tensor

from mmattn.errors import ConfigError
from mmattn.lens.chosen import Which, chosen
from mmattn.lens.record import LIMIT, Record, fits


class Mean:
    """The mean over heads of every record that it is called with, each of which counts the same.

    Given to `capture` as `reduce`, it takes in a whole sampling run and holds one map and one block of queries.

    Args:
        heads, queries, keys: those that are taken; see `chosen`.
        limit: bytes that the map may take.
    """

    def __init__(self, *, heads: Which = None, queries: Which = None, keys: Which = None, limit: int = LIMIT) -> None:
        self.heads, self.queries, self.keys, self.limit = heads, queries, keys, limit
        self.count = 0
        self._sum: Tensor | None = None

    @torch.no_grad()
    def __call__(self, record: Record) -> None:
        """Raises ConfigError for a map of another shape than those before, and for one that is too large."""
        batch, _, *sides = record.shape(self.heads, self.queries, self.keys)
        shape = (batch, *sides)
        if self._sum is None:
            fits(shape, record.query.element_size(), self.limit, record.where)
            exact = torch.float64 if record.query.dtype == torch.float64 else torch.float32
            self._sum = torch.zeros(shape, dtype=exact, device=record.query.device)
        if shape != tuple(self._sum.shape):
            raise ConfigError(
                f"{record.where} has a map of (batch, queries, keys) {shape}, and those before {tuple(self._sum.shape)}"
                ": take the mean of layers and steps whose maps are alike."
            )
        columns = chosen(self.keys, record.key.shape[2], "keys", record.where).to(self._sum.device)
        for piece, block in record.blocks(self.heads, self.queries):
            mean = block.mean(1)
            self._sum[:, piece] += mean if self.keys is None else mean[..., columns]
        self.count += 1

    @property
    def value(self) -> Tensor:
        """(batch, queries, keys). Raises ConfigError where nothing was taken in."""
        if self._sum is None:
            raise ConfigError("There is no mean of no maps: run the model inside `with capture(…)` first.")
        return self._sum / self.count
