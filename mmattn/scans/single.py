"""States are sums of many tokens: they are kept in single precision at least, whatever the tokens have."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from typing import Any

import torch
from torch import Tensor

Scan = Callable[..., tuple[Tensor, Tensor]]


def in_single(scan: Scan) -> Scan:
    """The same with half precision raised to float32, autocast left out; y has the dtype of `value` again."""

    @wraps(scan)
    def raised(query: Tensor, key: Tensor, value: Tensor, *others: Any, **named: Any) -> tuple[Tensor, Tensor]:
        with _as_it_is(value.device.type):
            given = map(single, (query, key, value, *others))
            y, state = scan(*given, **{name: single(each) for name, each in named.items()})
        return y.to(value.dtype), state

    return raised


def single(value: Any) -> Any:
    """A tensor of half precision in float32; anything else as it is."""
    half = isinstance(value, Tensor) and value.dtype in (torch.float16, torch.bfloat16)
    return value.float() if half else value


def _as_it_is(device: str) -> AbstractContextManager[Any]:
    """No autocast, on devices that have it."""
    return torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext()
