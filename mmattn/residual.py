"""What layers are made of: a mixer and an MLP, each behind a norm, on a residual stream."""

from __future__ import annotations

from torch import nn

from mmattn.mixers import Mixer


class Residual(nn.Module):
    """The parts of a layer of width `dim`; how it joins them is what a layer writes. `mlp` None: it has none."""

    def __init__(
        self,
        dim: int,
        mixer: Mixer,
        mlp: nn.Module | None,
        mixer_norm: nn.Module,
        mlp_norm: nn.Module,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.mixer, self.mixer_norm = mixer, mixer_norm
        self.mlp, self.mlp_norm = mlp, mlp_norm
        self.dropout = nn.Dropout(dropout)
