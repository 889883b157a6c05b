"""What an attention layer told its kernel, and the weights that follow from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mmattn.biases import Bias
from mmattn.errors import ConfigError
from mmattn.kernels.blocks import AT_ONCE
from mmattn.lens.chosen import Which, chosen, chosen_heads
from mmattn.lens.probabilities import probabilities
from mmattn.patterns import Visibility

LIMIT = 2**30
"""Bytes that one map may take unless another limit is given."""


@dataclass(frozen=True, eq=False)
class Record:
    """One call of one layer.

    layer: its name; step: how many times it was called before.
    query: (batch, recorded heads, queries, head_dim); key: (batch, key_heads, keys, head_dim), in their order.
    heads: (recorded heads,) the numbers that these query heads have in the layer; layer_heads: how many it has.
    """

    layer: str
    step: int
    query: Tensor
    key: Tensor
    visibility: Visibility
    scale: float
    bias: Bias | None
    heads: Tensor
    layer_heads: int

    @property
    def where(self) -> str:
        """Which call it is, for messages."""
        return f"'{self.layer}', step {self.step},"

    def shape(self, heads: Which = None, queries: Which = None, keys: Which = None) -> tuple[int, int, int, int]:
        """Of the map of these heads, queries and keys."""
        rows, columns = self._rows(queries), chosen(keys, self.key.shape[2], "keys", self.where)
        return self.query.shape[0], len(self._places(heads)), len(rows), len(columns)

    @torch.no_grad()
    def weights(self, heads: Which = None, queries: Which = None, keys: Which = None, *, limit: int = LIMIT) -> Tensor:
        """(batch, heads, queries, keys): the probabilities before dropout, 0 where the query does not see the key.

        They are those of the formula over all keys, and float32 at least; those asked for alone are held in memory,
        beside one block of queries. Which heads, queries and keys: see `chosen`; heads have the layer's numbers.
        Raises ConfigError for a map of more than `limit` bytes, and for heads that were not captured.
        """
        shape = self.shape(heads, queries, keys)
        fits(shape, self.query.element_size(), limit, self.where)
        columns = chosen(keys, self.key.shape[2], "keys", self.where).to(self.key.device)
        out = None
        for piece, block in self.blocks(heads, queries):
            out = block.new_empty(shape) if out is None else out
            out[:, :, piece] = block if keys is None else block[..., columns]
        return self.query.new_zeros(shape) if out is None else out

    def whole(self) -> Tensor:
        """(batch, heads, queries, keys) in one piece, with gradients where query, key or bias have them."""
        key = self.key.repeat_interleave(self.query.shape[1] // self.key.shape[1], 1)
        rows = torch.arange(self.query.shape[2], device=key.device)
        return probabilities(self.query, key, self.visibility, self.scale, self.bias, self.heads.to(key.device), rows)

    def blocks(self, heads: Which = None, queries: Which = None) -> Iterator[tuple[slice, Tensor]]:
        """The weights (batch, heads, some, all keys) in pieces of the queries chosen, with each piece's place."""
        device, rows, places = self.query.device, self._rows(queries), self._places(heads)
        per_head = len(self.heads) // self.key.shape[1]
        query, key = self.query[:, places.to(device)], self.key[:, (places // per_head).to(device)]
        numbers = self.heads[places].to(device)
        size = max(1, AT_ONCE // max(1, query.shape[0] * query.shape[1] * key.shape[2]))
        for start in range(0, len(rows), size):
            some = rows[start : start + size].to(device)
            told = self.visibility, self.scale, self.bias, numbers, some
            yield slice(start, start + len(some)), probabilities(query[:, :, some], key, *told)

    def _rows(self, queries: Which) -> Tensor:
        return chosen(queries, self.query.shape[2], "queries", self.where)

    def _places(self, heads: Which) -> Tensor:
        """Where the heads with these numbers stand in `query`."""
        numbers = self.heads if heads is None else chosen_heads(heads, self.layer_heads, self.where)
        place = {number: place for place, number in enumerate(self.heads.tolist())}
        missing = [number for number in numbers.tolist() if number not in place]
        if missing:
            held = f"{self.where} holds the heads {list(place)} of {self.layer_heads}"
            raise ConfigError(f"{held}, and heads={missing[0]} is asked for: capture it, too.")
        return torch.tensor([place[number] for number in numbers.tolist()], dtype=torch.long)


def fits(shape: tuple[int, ...], size: int, limit: int, where: str) -> None:
    """Raises ConfigError where a map of this shape, `size` bytes (but 4 at least) a weight, is larger than `limit`."""
    total = max(4, size)
    for count in shape:
        total *= count
    if total > limit:
        said = " × ".join(str(count) for count in shape)
        raise ConfigError(
            f"{where} has a map of {said} weights, {total / 2**30:.2g} GiB, and limit is {limit / 2**30:.2g} GiB: "
            "choose fewer heads, layers, steps, queries or keys, take the mean over heads, or raise limit."
        )
