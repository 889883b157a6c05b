"""torch's fused kernels, behind scaled_dot_product_attention."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from mmattn.patterns import Causal, Full, Visibility


def sdpa(query: Tensor, key: Tensor, value: Tensor, visibility: Visibility, scale: float) -> Tensor:
    """The same as `reference`, fused: without a mask where the rows are plain and full or causal, else with it."""
    grouped = query.shape[1] != key.shape[1]
    if visibility.is_plain and type(visibility.pattern) in (Full, Causal):
        causal = isinstance(visibility.pattern, Causal)
        return scaled_dot_product_attention(query, key, value, is_causal=causal, scale=scale, enable_gqa=grouped)
    # torch's kernels disagree about a row that sees nothing: let it see all, and zero what it makes.
    mask = visibility.mask
    alive = mask.any(-1, keepdim=True)
    out = scaled_dot_product_attention(query, key, value, attn_mask=mask | ~alive, scale=scale, enable_gqa=grouped)
    return out.masked_fill(~alive, 0.0)
