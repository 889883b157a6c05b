"""Attention with its weights changed on the way (prompt-to-prompt, https://arxiv.org/abs/2208.01626)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout as drop

from mmattn.biases import Bias
from mmattn.errors import ConfigError
from mmattn.lens.record import LIMIT, Record, fits
from mmattn.lens.seam import Layers, attention_layers, replaced
from mmattn.patterns import Visibility

Edit = Callable[[Tensor, Record], Tensor]
"""(weights (batch, heads, queries, keys), record) → weights of the same shape; `edits` has some."""


@contextmanager
def edited(model: nn.Module, edit: Edit, layers: Layers = None, *, limit: int = LIMIT) -> Iterator[None]:
    """`with edited(model, edit):` lets the layers read values by weights that `edit` has changed.

    These layers write out softmax(bias(QKᵀ · scale)), `edit(weights, record)`, dropout and · V, with gradients; an edit
    that returns its weights changes nothing but rounding. Pairs that the pattern hides keep a weight of 0,
    whatever the edit says. `record.step` counts the layer's calls from where the context begins.
    layers: names (see `attention_layers`) or None for all; limit: bytes that the weights of one call may take.

    Raises ConfigError for a layer that the model does not have or that is edited already (use `Chain`), for weights
    of another shape than the map's, and for a map that is larger than `limit`.
    """
    with replaced(attention_layers(model, layers), lambda name, attend: _Written(name, attend, edit, limit)):
        yield


class _Written:
    """In the place of a layer's `attend`: the formula with an edit in its middle."""

    def __init__(self, layer: str, attend: Any, edit: Edit, limit: int) -> None:
        while attend is not None:  # through captures, which leave what they stand before under `before`
            if isinstance(attend, _Written):
                raise ConfigError(f"'{layer}' is edited already: put both edits into one `Chain`.")
            attend = getattr(attend, "before", None)
        self.layer, self.edit, self.limit, self.calls = layer, edit, limit, 0

    def __call__(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        visibility: Visibility,
        scale: float,
        *,
        bias: Bias | None = None,
        dropout: float = 0.0,
    ) -> Tensor:
        heads = query.shape[1]
        record = Record(self.layer, self.calls, query, key, visibility, scale, bias, torch.arange(heads), heads)
        fits(record.shape(), query.element_size(), self.limit, record.where)
        self.calls += 1
        weights = record.whole()
        after = self.edit(weights, record)
        if after.shape != weights.shape:
            raise ConfigError(
                f"{record.where} has weights {tuple(weights.shape)}, and the edit gave {tuple(after.shape)}."
            )
        after = after.masked_fill(~visibility.mask, 0.0).to(value.dtype)
        return drop(after, dropout) @ value.repeat_interleave(query.shape[1] // value.shape[1], 1)
