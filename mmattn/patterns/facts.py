"""What a predicate reads of one side: the facts of its tokens, in whatever form the reader needs them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from mmattn.errors import ConfigError
from mmattn.sequence import TokenInfo


class Facts:
    """The facts of queries or of keys, each passed through `read` when a predicate first asks for it.

    `read` turns a fact (batch, length) into what the predicate shall compute on: a tensor that broadcasts against the
    other side's, the value at one index, or a range over a block. `order`, `document`, `modality`, `is_global` and each
    of `extra` are as in `TokenInfo`; `coordinates` has one entry an axis, read through `axis`.
    """

    def __init__(self, info: TokenInfo, read: Callable[[Tensor], Any]) -> None:
        self._info, self._read = info, lambda fact: read(_wide(fact))

    @property
    def beside_heads(self) -> Facts:
        """The same tensors (batch, …), to broadcast against scores (batch, heads, …)."""
        return Facts(self._info, lambda fact: self._read(fact).unsqueeze(1))

    @cached_property
    def order(self) -> Any:
        return self._read(self._info.order)

    @cached_property
    def document(self) -> Any:
        return self._read(self._info.document)

    @cached_property
    def modality(self) -> Any:
        return self._read(self._info.modality)

    @cached_property
    def is_global(self) -> Any:
        return self._read(self._info.is_global)

    @cached_property
    def coordinates(self) -> Mapping[int, Any]:
        return _Read(dict(enumerate(self._info.coordinates.unbind(-1))), self._read, "coordinate axis")

    @cached_property
    def extra(self) -> Mapping[str, Any]:
        return _Read(self._info.extra, self._read, "extra fact")


def _wide(fact: Tensor) -> Tensor:
    """Integers whose differences do not wrap around, so that all readers compute the same."""
    return fact.int() if fact.dtype in (torch.uint8, torch.int8, torch.int16) else fact


class _Read(Mapping):
    """Several facts under names, read when they are asked for."""

    def __init__(self, facts: Mapping[Any, Tensor], read: Callable[[Tensor], Any], kind: str) -> None:
        self._facts, self._read, self._kind = facts, read, kind
        self._known: dict[Any, Any] = {}

    def __getitem__(self, name: Any) -> Any:
        if name not in self._facts:
            raise ConfigError(
                f"A pattern or bias reads {self._kind} {name!r}, and these tokens have {list(self._facts) or 'none'}: "
                "choose another pattern, or let the tokenizer or task provide it."
            )
        if name not in self._known:
            self._known[name] = self._read(self._facts[name])
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._facts

    def __iter__(self) -> Iterator[Any]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)


def axis(coordinates: Mapping[int, Any], index: int) -> Any:
    """The grid place along one axis."""
    if index >= len(coordinates):
        raise ConfigError(
            f"These tokens have {len(coordinates)} coordinate axes; axis {index} does not exist: "
            "choose a pattern, bias or position for as many axes as the tokenizer gives."
        )
    return coordinates[index]
