"""How attention is computed. Every kernel means the same as `reference`."""

from __future__ import annotations

from torch import Tensor

from mmattn.kernels.choose import KERNELS, Kernel, choose
from mmattn.kernels.reference import reference
from mmattn.kernels.sdpa import sdpa
from mmattn.patterns import Visibility


def attend(
    query: Tensor, key: Tensor, value: Tensor, visibility: Visibility, scale: float | None = None, kernel: str = "auto"
) -> Tensor:
    """softmax(QKᵀ · scale) V over the visible pairs, by the kernel of that name.

    query (batch, heads, queries, head_dim); key, value (batch, key_heads, keys, head_dim), key_heads dividing heads;
    `scale` defaults to head_dim^−½. Returns (batch, heads, queries, head_dim).
    Invisible pairs weigh 0, and 0 · NaN is NaN: padding must be finite, as it is behind `Backbone`'s entry.
    """
    return choose(kernel)(query, key, value, visibility, query.shape[-1] ** -0.5 if scale is None else scale)


__all__ = ["KERNELS", "Kernel", "attend", "choose", "reference", "sdpa"]
