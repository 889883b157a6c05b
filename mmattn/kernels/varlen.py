"""FlashAttention over the documents of a batch as one row without padding: packed or padded rows on CUDA.

torch takes FlashAttention 2 (https://arxiv.org/abs/2307.08691) or, where it can, cuDNN;
`torch.nn.attention.activate_flash_attention_impl` activates FlashAttention 3 or 4 where they are installed.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from inspect import signature
from typing import Any

import torch
from torch import Tensor

from mmattn.kernels.lowered import lowered
from mmattn.kernels.request import Kernel, Request
from mmattn.kernels.runs import Runs, in_steps_of_one, pack, runs, unpack, window
from mmattn.patterns import Full, Visibility

WIDEST = 256  # head width of FlashAttention 2
TOLD = {"window_size", "scale"}  # what torch's function must know
GROUPED = "enable_gqa"  # and what, for grouped queries


def varlen(request: Request) -> Tensor:
    """The same as `reference`, without a step spent on padding or on pairs of different documents."""
    from torch.nn.attention.varlen import varlen_attn

    query, key, value, visibility, scale, _, _ = lowered(request)
    queries, keys = _runs(visibility, query.device)
    seen = window(visibility.pattern)
    assert seen is not None  # `refusal` lets no other pattern through
    packed = pack(query, queries), pack(key, keys), pack(value, keys)
    if not queries.longest:  # all is empty, and the sums are zeros that have gradients
        return unpack(packed[0] + packed[1].sum() + packed[2].sum(), queries, query.shape[0], query.shape[2])
    grouped: dict[str, Any] = {GROUPED: True} if _groups(request) else {}
    out = varlen_attn(
        *packed, queries.edges, keys.edges, queries.longest, keys.longest, scale=scale, window_size=seen, **grouped
    )
    assert isinstance(out, Tensor)
    return unpack(out, queries, query.shape[0], query.shape[2])


def refusal(request: Request) -> str | None:
    """Why it cannot, with the remedy, or None."""
    device = request.query.device
    if device.type != "cuda":
        return (
            f"FlashAttention for packed rows runs on CUDA, and these tensors are on {device}; choose kernel=blockwise."
        )
    return _refused_machine(device, _groups(request)) or refused_anywhere(request)


def refused_anywhere(request: Request) -> str | None:
    """Why no machine could, with the remedy, or None."""
    return _refused_tensors(request) or _refused_meaning(request) or _refused_facts(request.visibility)


def _refused_tensors(request: Request) -> str | None:
    inputs = lowered(request)[:3]
    if {each.dtype for each in inputs} not in ({torch.bfloat16}, {torch.float16}):
        names = ", ".join(str(each.dtype).removeprefix("torch.") for each in inputs)
        return (
            f"FlashAttention takes query, key and value all in bfloat16 or all in float16, and got {names}; set "
            "trainer.precision=bf16-mixed, or choose kernel=blockwise."
        )
    width, value_width = request.query.shape[3], request.value.shape[3]
    if width != value_width or width % 8 or not 0 < width <= WIDEST:
        return (
            f"FlashAttention needs heads of 8, 16, … {WIDEST} channels, values as wide as keys, and got {width} and "
            f"{value_width}; choose other heads, or kernel=blockwise."
        )
    return None


def _refused_meaning(request: Request) -> str | None:
    visibility = request.visibility
    if request.bias is not None:
        return "FlashAttention for packed rows takes no bias; choose kernel=flex or kernel=blockwise."
    if request.dropout:
        return "FlashAttention for packed rows drops no weights; set weight_dropout=0, or choose kernel=blockwise."
    if window(visibility.pattern) is None:
        return (
            "FlashAttention for packed rows knows the patterns full, causal and window without dilation, and not "
            f"{visibility.pattern}; choose kernel=flex or kernel=blockwise."
        )
    if visibility.keys is not visibility.queries and not isinstance(visibility.pattern, Full):
        return (
            "FlashAttention for packed rows reads places off the row, so that keys of another sequence can be seen in "
            "full alone; choose kernel=flex or kernel=blockwise."
        )
    return None


def _refused_facts(visibility: Visibility) -> str | None:
    if isinstance(visibility.pattern, Full) or visibility.kept("steps of one", lambda: _steps(visibility)):
        return None
    return (
        "FlashAttention for packed rows takes a document's tokens to be neighbours, and some of these stand further "
        "apart (order); choose kernel=flex or kernel=blockwise."
    )


def _groups(request: Request) -> bool:
    return request.query.shape[1] != request.key.shape[1]


@cache
def _refused_machine(device: torch.device, grouped: bool) -> str | None:
    if torch.cuda.get_device_capability(device) < (8, 0):
        return "FlashAttention needs a GPU of compute capability 8.0 (Ampere) or newer; choose kernel=sdpa."
    try:
        known = set(signature(import_module("torch.nn.attention.varlen").varlen_attn).parameters)
    except ImportError:
        known = set()
    if not known >= TOLD:
        return f"torch {torch.__version__} has no varlen_attn with windows and a scale; install torch 2.14."
    if grouped and GROUPED not in known:
        return f"torch {torch.__version__} has no varlen_attn with grouped queries; install torch 2.14."
    return None


def _steps(visibility: Visibility) -> bool:
    return in_steps_of_one(visibility.queries.to("cpu"))


def _runs(visibility: Visibility, device: torch.device) -> tuple[Runs, Runs]:
    def make() -> tuple[Runs, Runs]:
        queries, keys = runs(visibility)
        return queries.to(device), keys.to(device)

    return visibility.kept("runs", make)


KERNEL = Kernel("varlen", "FlashAttention over documents, without padding; CUDA", varlen, refusal)
