"""The formula, softmax(bias(QKᵀ · scale)) V, as it is written: the oracle that every other kernel is tested against."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import dropout

from mmattn.kernels.biased import biased
from mmattn.kernels.request import Kernel, Request


def reference(request: Request) -> Tensor:
    """Attention (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762) by dense matrices; shapes as in `Request`.

    A query that sees nothing gives exactly 0, with zero gradients.
    """
    query, mask = request.query, request.visibility.mask
    groups = query.shape[1] // request.key.shape[1]
    key, value = (each.repeat_interleave(groups, 1) for each in (request.key, request.value))
    scores = biased(request.bias, query @ key.mT * request.scale, *request.visibility.facts)
    return dropout(visible_softmax(scores, mask), request.dropout) @ value


def visible_softmax(scores: Tensor, mask: Tensor) -> Tensor:
    """Weights (…, queries, keys) over the pairs that the mask leaves; zeros for a query that sees nothing."""
    # A row without a visible key would be softmax of nothing; its weights are zeroed after a softmax of zeros.
    scores = scores.masked_fill(~mask, -float("inf")).masked_fill(~mask.any(-1, keepdim=True), 0.0)
    return scores.softmax(-1).masked_fill(~mask, 0.0)


KERNEL = Kernel("reference", "the formula, dense: the oracle", reference, lambda request: None)
