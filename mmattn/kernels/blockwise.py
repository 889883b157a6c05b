"""Attention over live blocks alone, with backward."""

from __future__ import annotations

from torch import Tensor

from mmattn.kernels.fused import Fused
from mmattn.kernels.plan import plan
from mmattn.patterns import Visibility


def blockwise(query: Tensor, key: Tensor, value: Tensor, visibility: Visibility, scale: float) -> Tensor:
    return Fused.apply(query, key, value, plan(visibility), scale)
