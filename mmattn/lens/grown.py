"""Keys that a cache gives again at each step, with a few more, held once."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from mmattn.lens.record import Record
from mmattn.patterns import Visibility


class Grown:
    """Tensors each of which begins with the one before, as views of one that holds them all.

    Held as they come, those of n decoding steps would take n² / 2 tokens; so they take 4 n at most, as room doubles.

    Args:
        dim: along which they grow.
    """

    def __init__(self, dim: int) -> None:
        self.dim, self.length = dim, 0
        self.held: Tensor | None = None

    @torch.no_grad()
    @torch.inference_mode(False)  # what is held can be written to in either mode
    def __call__(self, tensor: Tensor) -> Tensor:
        """The same values: a view where the tensor begins with the one before, else itself, and growth begins anew."""
        held, size = self.held, tensor.shape[self.dim]
        if held is None or not self._begins(tensor, held):
            held = tensor
        elif size > held.shape[self.dim]:
            held = tensor.new_empty([*tensor.shape[: self.dim], 2 * size, *tensor.shape[self.dim + 1 :]])
            self._first(held, size).copy_(tensor)
        elif size > self.length:
            more = self.length, size - self.length
            held.narrow(self.dim, *more).copy_(tensor.narrow(self.dim, *more))
        self.held, self.length = held, size
        return self._first(held, size)

    def _begins(self, tensor: Tensor, held: Tensor) -> bool:
        alike = tensor.ndim == held.ndim and (tensor.dtype, tensor.device) == (held.dtype, held.device)
        if not alike or tensor.shape[self.dim] < self.length:
            return False
        return torch.equal(self._first(tensor, self.length), self._first(held, self.length))

    def _first(self, tensor: Tensor, count: int) -> Tensor:
        return tensor.narrow(self.dim, 0, count)


class GrownKeys:
    """Records of one layer, call after call, of which those that share keys hold them and their facts once."""

    def __init__(self) -> None:
        self._key, self._facts = Grown(2), defaultdict[int, Grown](lambda: Grown(1))

    def __call__(self, record: Record) -> Record:
        seen = record.visibility
        if seen.keys is not seen.queries:
            facts, form = pytree.tree_flatten(seen.keys)
            keys = pytree.tree_unflatten([self._facts[n](fact) for n, fact in enumerate(facts)], form)
            seen = Visibility(seen.pattern, seen.queries, keys)  # a new one, without the mask that a kernel kept in it
        return replace(record, key=self._key(record.key), visibility=seen)
