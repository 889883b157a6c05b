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


def checked(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    visibility: Visibility,
    scale: float | None = None,
    bias: Bias | None = None,
    dropout: float = 0.0,
) -> Request:
    """The request, `scale` defaulting to head_dim^−½.

    Raises ConfigError where the shapes do not fit one another, the facts or the bias. It stands in the way of every
    call, so it looks at each tensor once, and words nothing before something is wrong.
    """
    if not query.ndim == key.ndim == value.ndim == 4:
        raise ConfigError(
            f"attention takes (batch, heads, length, head_dim) thrice and got {_shapes(query, key, value)}."
        )
    batch, heads, queries, head_dim = query.shape
    key_batch, key_heads, keys, key_dim = key.shape
    value_batch, value_heads, values, _ = value.shape
    if heads < 1 or key_heads < 1 or head_dim < 1:
        raise ConfigError(f"attention got {_shapes(query, key, value)}: it takes at least one head and a width of 1.")
    alike = query.dtype == key.dtype == value.dtype and query.device == key.device == value.device
    if not alike and not torch.is_autocast_enabled(query.device.type):
        kinds = sorted({f"{each.dtype} on {each.device}" for each in (query, key, value)})
        raise ConfigError(f"attention got inputs of {' and '.join(kinds)}: convert them to one dtype, on one device.")
    if not batch == key_batch == value_batch or key_dim != head_dim or (key_heads, keys) != (value_heads, values):
        raise ConfigError(
            f"attention got {_shapes(query, key, value)}: batches must be equal, keys and values alike, queries as "
            "wide as keys."
        )
    if heads % key_heads:
        raise ConfigError(
            f"attention got {_shapes(query, key, value)}: {key_heads} key heads do not divide {heads} query heads."
        )
    if visibility.shape != (batch, queries, keys):
        raise ConfigError(
            f"attention got {_shapes(query, key, value)}, and the visibility knows (batch, queries, keys) "
            f"{visibility.shape}: build it from the facts of these tokens."
        )
    if bias is not None and bias.heads not in (None, heads):
        raise ConfigError(f"{type(bias).__name__} is made for {bias.heads} heads, and the query has {heads}.")
    if dropout and not 0 < dropout < 1:
        raise ConfigError(f"dropout={dropout} of the attention weights must be at least 0 and less than 1.")
    return Request(query, key, value, visibility, head_dim**-0.5 if scale is None else scale, bias, dropout)


def _shapes(query: Tensor, key: Tensor, value: Tensor) -> str:
    return f"query {tuple(query.shape)}, key {tuple(key.shape)}, value {tuple(value.shape)}"
