"""Attention over the live blocks alone, with backward, on any device; `plan` says what is computed, in a picture."""

from __future__ import annotations

from torch import Tensor

from mmattn.biases import Added, learns
from mmattn.kernels.fused import Fused
from mmattn.kernels.lowered import lowered
from mmattn.kernels.plan import plan
from mmattn.kernels.request import Kernel, Request
from mmattn.kernels.written import written


def blockwise(request: Request) -> Tensor:
    """The same as `reference`; time and memory follow the pairs of blocks that see one another."""
    request, planned = lowered(request), plan(request.visibility)
    if is_fused(request):
        return Fused.apply(request.query, request.key, request.value, planned, request.scale, request.bias)
    return written(request, planned)


def is_fused(request: Request) -> bool:
    """Whether torch's fused CPU kernel can compute the blocks; what it cannot, `written` does."""
    simple = request.bias is None or (isinstance(request.bias, Added) and not learns(request.bias))
    same_width = request.value.shape[-1] == request.query.shape[-1]
    return request.query.is_cpu and simple and same_width and not request.dropout


KERNEL = Kernel("blockwise", "blocks that see one another, and no others", blockwise, lambda request: None)
