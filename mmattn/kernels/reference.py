"""The formula, softmax(QKᵀ · scale) V, as it is written: the oracle that every other kernel is tested against."""

from __future__ import annotations

from torch import Tensor

from mmattn.patterns import Visibility


def reference(query: Tensor, key: Tensor, value: Tensor, visibility: Visibility, scale: float) -> Tensor:
    """Attention (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762) by dense matrices.

    query (batch, heads, queries, head_dim); key and value (batch, key_heads, keys, head_dim) with key_heads dividing
    heads. Returns (batch, heads, queries, head_dim). A query that sees nothing gives exactly 0, with zero gradients.
    """
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    mask = visibility.mask
    scores = query @ key.mT * scale
    # A row without a visible key would be softmax of nothing; its weights are zeroed after a softmax of zeros.
    scores = scores.masked_fill(~mask, -float("inf")).masked_fill(~mask.any(-1, keepdim=True), 0.0)
    weights = scores.softmax(-1).masked_fill(~mask, 0.0)
    return weights @ value
