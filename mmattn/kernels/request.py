"""What a kernel is asked for, and what a kernel is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from mmattn.biases import Bias
from mmattn.errors import ConfigError
from mmattn.patterns import Visibility


class Request(NamedTuple):
    """softmax(bias(QKᵀ · scale)) V over the visible pairs.

    query (batch, heads, queries, head_dim); key (batch, key_heads, keys, head_dim) and value (batch, key_heads, keys,
    width), key_heads dividing heads; dropout: the chance that a weight is zeroed, and the others scaled up.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    visibility: Visibility
    scale: float
    bias: Bias | None = None
    dropout: float = 0.0

    @property
    def trains(self) -> bool:
        """Whether a gradient may be asked for."""
        return self.query.requires_grad or self.key.requires_grad or self.value.requires_grad


class Kernel(NamedTuple):
    """A way to compute a request. refusal: why it cannot, with the remedy, or None; about: a line for tables."""

    name: str
    about: str
    compute: Callable[[Request], Tensor]
    refusal: Callable[[Request], str | None]

    def __call__(self, request: Request) -> Tensor:
        """Compute it, or raise ConfigError: a kernel that was named is never replaced by another."""
        refusal = self.refusal(request)
        if refusal:
            raise ConfigError(f"kernel={self.name}: {refusal}")
        return self.compute(request)


def check(request: Request) -> None:
    """Raises ConfigError where the shapes do not fit one another, the facts or the bias."""
    query, key, value = request.query.shape, request.key.shape, request.value.shape
    shapes = f"query {tuple(query)}, key {tuple(key)}, value {tuple(value)}"
    if not len(query) == len(key) == len(value) == 4:
        raise ConfigError(f"attention takes (batch, heads, length, head_dim) thrice and got {shapes}.")
    if min(query[1], key[1], query[3]) < 1:
        raise ConfigError(f"attention got {shapes}: there must be a head at least, and a width of at least 1.")
    kinds = {(each.dtype, each.device) for each in request[:3]}
    if len(kinds) > 1 and not torch.is_autocast_enabled(request.query.device.type):
        raise ConfigError(
            f"attention got inputs of {sorted(map(str, kinds))}: convert them to one dtype, on one device."
        )
    if query[0] != key[0] or query[3] != key[3] or key[:3] != value[:3]:
        raise ConfigError(
            f"attention got {shapes}: batches must be equal, keys and values alike, queries as wide as keys."
        )
    if query[1] % key[1]:
        raise ConfigError(f"attention got {shapes}: {key[1]} key heads do not divide {query[1]} query heads.")
    facts = request.visibility.queries.order.shape, request.visibility.keys.order.shape
    if facts != ((query[0], query[2]), (key[0], key[2])):
        raise ConfigError(
            f"attention got {shapes}, and the visibility knows {tuple(facts[0])} queries and {tuple(facts[1])} keys "
            "(batch, length): build it from the facts of these tokens."
        )
    if request.bias is not None and request.bias.heads not in (None, query[1]):
        raise ConfigError(
            f"{type(request.bias).__name__} is made for {request.bias.heads} heads, and the query has {query[1]}."
        )
    if not 0 <= request.dropout < 1:
        raise ConfigError(f"dropout={request.dropout} of the attention weights must be at least 0 and less than 1.")
