"""Which kernel computes attention: by name, or the one that suits the device."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from mmattn.errors import ConfigError, nearest
from mmattn.kernels.reference import reference
from mmattn.kernels.sdpa import sdpa
from mmattn.patterns import Visibility


class Kernel(Protocol):
    """How attention is computed; shapes as in `reference`."""

    def __call__(self, query: Tensor, key: Tensor, value: Tensor, visibility: Visibility, scale: float) -> Tensor: ...


KERNELS: dict[str, Kernel] = {"reference": reference, "sdpa": sdpa}


def choose(name: str = "auto") -> Kernel:
    """The kernel called `name`; `auto` is torch's fused one, which runs everywhere."""
    if name == "auto":
        return sdpa
    if name not in KERNELS:
        raise ConfigError(f"There is no kernel '{name}'; known: auto, {', '.join(KERNELS)}.{nearest(name, KERNELS)}")
    return KERNELS[name]
