"""What FlexAttention cannot compute, and what to do instead."""

from __future__ import annotations

import os
import shutil
import sys
from functools import cache
from importlib.util import find_spec

import torch

from mmattn.biases import learns
from mmattn.kernels.lowered import lowered
from mmattn.kernels.request import Request

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
NARROWEST = 16  # head width of torch's kernels on CUDA: tl.dot takes no less


def refusal(request: Request) -> str | None:
    """Why it cannot, with the remedy, or None."""
    device = request.query.device.type
    inputs = lowered(request)[:3]
    dtypes = {each.dtype for each in inputs}
    widths = (request.query.shape[3], request.value.shape[3])
    if device == "cpu" and (learns(request.bias) or torch.is_grad_enabled() and request.trains):
        return "FlexAttention has no CPU backward; kernel=blockwise trains on any device."
    if request.dropout:
        return "FlexAttention drops no weights; set weight_dropout=0, or choose kernel=blockwise."
    if len(dtypes) > 1 or not dtypes <= set(DTYPES):
        names = ", ".join(str(each.dtype).removeprefix("torch.") for each in inputs)
        return (
            "FlexAttention takes query, key and value all in float32, bfloat16 or float16, and got "
            f"{names}; convert them, or choose kernel=blockwise."
        )
    if device == "cuda" and min(widths) < NARROWEST:
        return (
            f"FlexAttention needs heads at least {NARROWEST} wide on CUDA, and got {min(widths)}; use fewer heads, or "
            "choose kernel=blockwise."
        )
    if min(*(each.numel() for each in inputs)) == 0:
        return "FlexAttention takes no empty tensors; choose kernel=reference for those."
    return missing(device)


@cache
def missing(device: str) -> str | None:
    """What this machine lacks."""
    if device == "cuda":
        return None if find_spec("triton") else "FlexAttention needs Triton on CUDA; install triton."
    if device != "cpu":
        return f"FlexAttention is used on CUDA and CPUs, and not on {device}; choose kernel=blockwise."
    if sys.platform == "darwin" or not torch.backends.cpu.get_cpu_capability().startswith("AVX"):
        return "torch compiles FlexAttention for x86 CPUs with AVX2 alone, and not on macOS; choose kernel=blockwise."
    compiler = os.environ.get("CXX", "g++")
    if not shutil.which(compiler):
        return (
            f"torch.compile needs a C++ compiler, and there is no {compiler}; install it, or choose kernel=blockwise."
        )
    return None
