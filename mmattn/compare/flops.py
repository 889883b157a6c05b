"""Floating-point operations of a call: what torch's counter sees, and what it does not see or sees wrongly."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

aten = torch.ops.aten


def _recurrent(x: Any, weight: Any, hidden: Any, *rest: Any, **named: Any) -> int:
    """A layer of oneDNN's over x (length, batch, in): two products a token, 2 · 4 hidden · (in + hidden) operations."""
    return 2 * prod(x[:2]) * (prod(weight) + prod(hidden))


def _recurrent_backward(x: Any, weight: Any, hidden: Any, *rest: Any, **named: Any) -> int:
    """Each product has two in the backward pass: one for its input, one for its weights."""
    return 2 * _recurrent(x, weight, hidden)


def _attention(query: Any, key: Any, value: Any, *rest: Any, **named: Any) -> int:
    return sdpa_flop_count(query, key, value)


def _attention_backward(gradient: Any, query: Any, key: Any, value: Any, *rest: Any, **named: Any) -> int:
    return sdpa_backward_flop_count(gradient, query, key, value)


def _convolution_backward(
    gradient: Any, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool,
    output_padding: Any, groups: int, asked: Any, **named: Any,
) -> int:  # fmt: skip
    """As many as forward for each gradient that is asked for, of x and of the weights (out, in / groups, kernel); those
    hold the groups already, of which torch's own formula knows nothing."""
    places = x if transposed else gradient
    return 2 * x[0] * prod(places[2:]) * prod(weight) * sum(asked[:2])


def _solved(system: Any, right: Any, *rest: Any, out_shape: Any, **named: Any) -> int:
    """A triangle (…, n, n), half of a product with each of the right sides; its backward is made of others."""
    return system[-1] * prod(out_shape)


COUNTED = {
    aten.convolution_backward: _convolution_backward,
    aten.linalg_solve_triangular: _solved,
    aten._scaled_dot_product_flash_attention_for_cpu: _attention,
    aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
    aten.mkldnn_rnn_layer: _recurrent,
    aten.mkldnn_rnn_layer_backward: _recurrent_backward,
}
"""Operators without a formula in torch, or with a wrong one. Additions, norms and exponentials are in no count."""


def flops(call: Callable[[], Any]) -> int:
    """Operations of matrix products, convolutions, attention, triangular systems and recurrences in a call; two for
    each multiply-add.
    """
    with FlopCounterMode(display=False, custom_mapping=COUNTED) as counter:
        call()
    return counter.get_total_flops()
