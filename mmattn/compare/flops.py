"""Floating-point operations of a call: what torch's counter sees, and what it cannot see on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

aten = torch.ops.aten


def _recurrent(x: Any, weight: Any, hidden: Any, *rest: Any, **named: Any) -> int:
    """A layer of oneDNN's over x (length, batch, in): two products a token, 2 · gates · (in + hidden) operations."""
    return 2 * prod(x[:2]) * (prod(weight) + prod(hidden))


def _recurrent_backward(x: Any, weight: Any, hidden: Any, *rest: Any, **named: Any) -> int:
    """Each product has two in the backward pass: one for its input, one for its weights."""
    return 2 * _recurrent(x, weight, hidden)


def _attention(query: Any, key: Any, value: Any, *rest: Any, **named: Any) -> int:
    return sdpa_flop_count(query, key, value)


def _attention_backward(gradient: Any, query: Any, key: Any, value: Any, *rest: Any, **named: Any) -> int:
    return sdpa_backward_flop_count(gradient, query, key, value)


UNSEEN = {
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
    aten.mkldnn_rnn_layer: _recurrent,
    aten.mkldnn_rnn_layer_backward: _recurrent_backward,
}
"""Operators without a formula in torch. Additions, norms and exponentials are in nobody's count."""


def flops(call: Callable[[], Any]) -> int:
    """Operations of matrix products, convolutions, attention and recurrences in a call; two for each multiply-add."""
    with FlopCounterMode(display=False, custom_mapping=UNSEEN) as counter:
        call()
    return counter.get_total_flops()
