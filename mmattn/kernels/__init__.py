"""How attention is computed. Every kernel means the same as `reference`."""

from __future__ import annotations

from torch import Tensor

from mmattn.biases import Bias
from mmattn.kernels.choose import KERNELS, chosen, named
from mmattn.kernels.request import Kernel, Request, checked
from mmattn.patterns import Visibility


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    visibility: Visibility,
    scale: float | None = None,
    kernel: str = "auto",
    *,
    bias: Bias | None = None,
    dropout: float = 0.0,
) -> Tensor:
    """softmax(bias(QKᵀ · scale)) V over the visible pairs, by the kernel of that name.

    query (batch, heads, queries, head_dim); key (batch, key_heads, keys, head_dim) and value (batch, key_heads, keys,
    width), key_heads dividing heads; `scale` defaults to head_dim^−½; `dropout` zeroes weights by chance, always.
    Returns (batch, heads, queries, width); a query that sees nothing gives 0. Invisible pairs weigh 0, and 0 · NaN is
    NaN: padding must be finite, and so must its scores, as they are behind `Backbone`'s entry.

    Raises ConfigError for shapes that do not fit, a kernel that is not known and one that cannot do this.
    """
    request = checked(query, key, value, visibility, scale, bias, dropout)
    compute = chosen(request).kernel if kernel == "auto" else named(kernel)
    return compute(request)


__all__ = ["KERNELS", "Kernel", "Request", "attend", "checked", "chosen", "named"]
