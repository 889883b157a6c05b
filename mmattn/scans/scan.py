"""What all chunked recurrences do first: padding is cleared, a state is there, in single precision at least."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any

import torch
from torch import Tensor

from mmattn.scans.segments import Segments

Result = tuple[Tensor, Tensor]
"""y, and the state after the last token."""


def scan(chunk: int) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Makes a recurrence of its chunks: form(query, key, value, fade, segments, state, chunk) is given keys and values
    that are 0 at padding, a state, and a chunk that is no longer than the tokens, of which there are some.

    States are sums of many tokens: half precision is raised to float32, autocast is left out, and y has the dtype of
    `value` again. chunk: how many tokens one has, unless a call says otherwise.
    """

    def of(form: Callable[..., Result]) -> Callable[..., Result]:
        @wraps(form)
        def run(
            query: Tensor,
            key: Tensor,
            value: Tensor,
            fade: Tensor | None,
            segments: Segments,
            state: Tensor | None = None,
            chunk: int = chunk,
        ) -> Result:
            q, k, v = single(query), single(key), single(value)
            if state is None:
                state = v.new_zeros(*v.shape[:-2], k.shape[-1], v.shape[-1])
            length = v.shape[-2]
            if not length:
                return value, state
            k, v = (each.masked_fill(~facts(segments.real, each), 0) for each in (k, v))
            with _as_it_is(v.device.type):
                y, state = form(q, k, v, single(fade), segments, single(state), min(chunk, length))
            return y[..., :length, :].to(value.dtype), state

        return run

    return of


def facts(fact: Tensor, like: Tensor) -> Tensor:
    """A fact (batch, length) beside values (batch, …, length, size)."""
    batch, length = fact.shape
    return fact.view(batch, *(1,) * (like.ndim - 3), length, 1)


def single(value: Any) -> Any:
    """A tensor of half precision in float32; anything else as it is."""
    half = isinstance(value, Tensor) and value.dtype in (torch.float16, torch.bfloat16)
    return value.float() if half else value


def _as_it_is(device: str) -> AbstractContextManager[Any]:
    """No autocast, on devices that have it."""
    return torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext()
