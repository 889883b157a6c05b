"""The model of the experiments: symbols in, scores of symbols out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmattn.backbone import Backbone
from mmattn.mlp import MLP
from mmattn.positions import Position
from mmattn.sequence import TokenInfo, TokenSequence

Factory = Callable[..., Any]


class SymbolModel(nn.Module):
    """out(backbone(embed(ids))), a backbone of the named layers.

    Args:
        symbols: ids are below it; as many scores come out.
        layers: names of `mixers`, a layer each.
    """

    def __init__(
        self,
        symbols: int,
        dim: int,
        layers: Sequence[str],
        mixers: Mapping[str, Factory],
        *,
        position: Position | None = None,
        mlp: Factory | None = MLP,
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(symbols, dim)
        self.backbone = Backbone(dim, len(layers), mixers, layers, position=position, mlp=mlp)
        self.out = nn.Linear(dim, symbols)

    def forward(self, ids: Tensor) -> Tensor:
        """ids (batch, length) → scores (batch, length, symbols)."""
        return self.out(self.states(self.embed(ids)))

    def states(self, embeddings: Tensor) -> Tensor:
        """Embedded symbols (batch, length, dim) → what the backbone makes of them, of the same shape."""
        rows, length, _ = embeddings.shape
        return self.backbone(TokenSequence(embeddings, TokenInfo.from_lengths([length] * rows))).embeddings


@torch.no_grad()
def check(model: SymbolModel) -> None:
    """Read two symbols. Raises what would be raised when it is trained, before others are."""
    model(torch.zeros(1, 2, dtype=torch.long))


def parameters(model: nn.Module) -> int:
    return sum(each.numel() for each in model.parameters())
