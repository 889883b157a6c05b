"""A few earlier tokens, weighted channel by channel: what recurrent layers look at before their state does."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from mmattn.limits import whole
from mmattn.mixers.behind_padding import Recent, behind_padding, neighbours, put_back
from mmattn.sequence import TokenInfo


class ShortConvolution(nn.Module):
    """silu(Σₒ wₒ · x[t − o] + b), o < size, over the tokens of a document; padding between them is passed over.

    Args:
        dim: channels, each with weights of its own.
        size: tokens that a token sees, itself included.
        bias: whether there is a b.
    """

    def __init__(self, dim: int, size: int = 4, *, bias: bool = True) -> None:
        super().__init__()
        whole("convolution", size, 1)  # a token sees itself
        self.size = size
        self.convolution = nn.Conv1d(dim, dim, size, groups=dim, bias=bias)

    def forward(self, x: Tensor, info: TokenInfo, recent: Recent | None) -> tuple[Tensor, Recent]:
        """x (batch, length, dim) → the same shape, and what the next call is given."""
        before, layout = self.size - 1, info.layout
        if recent is None:
            recent = Recent.nothing(x, info.document, before)
        document = torch.cat([recent.document, info.document], 1)
        if layout.one_document and not layout.padded and info.document.numel():
            own = recent.document == info.document[:, :1]
            x = torch.cat([recent.x.where(own[..., None], 0), x], 1)
            return silu(self.convolution(x.mT).mT), Recent.of(x, document, before)
        x = torch.cat([recent.x, x], 1)
        if not layout.padded:
            return silu(self._within(x, document)[:, before:]), Recent.of(x, document, before)
        x, document, order = behind_padding(x, document)
        made = put_back(self._within(x, document), order)
        return silu(made[:, before:]), Recent.of(x, document, before)

    def _within(self, x: Tensor, document: Tensor) -> Tensor:
        """The sum over neighbours in the row that are of the same document."""
        made = x.new_zeros(()) if self.convolution.bias is None else self.convolution.bias
        weights = self.convolution.weight[:, 0].unbind(1)
        for weight, seen in zip(weights, neighbours(x, document, self.size - 1), strict=True):
            made = made + weight * seen
        return made
