"""A stack of layers over tokens: each mixes them, then works on each alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmattn.context import Context
from mmattn.errors import ConfigError, nearest
from mmattn.mixers import Mixer
from mmattn.mlp import MLP
from mmattn.positions import Position
from mmattn.sequence import TokenSequence

Factory = Callable[..., Any]


class Block(nn.Module):
    """Pre-norm residual layer (https://arxiv.org/abs/2002.04745)."""

    def __init__(
        self,
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

    def forward(self, x: Tensor, context: Context) -> Tensor:
        return self.alone(x + self.dropout(self.mixer(self.mixer_norm(x), context)))

    def alone(self, x: Tensor) -> Tensor:
        """The part that works on each token alone, where the block has one."""
        return x if self.mlp is None else x + self.dropout(self.mlp(self.mlp_norm(x)))

    def step(self, x: Tensor, context: Context, state: Any) -> tuple[Tensor, Any]:
        """As `forward` for the next tokens; see `Mixer.step`."""
        mixed, state = self.mixer.step(self.mixer_norm(x), context, state)
        return self.alone(x + self.dropout(mixed)), state


class Backbone(nn.Module):
    """`depth` blocks; their mixers cycle through `layers`, names of `mixers`.

    Args:
        dim: width.
        depth: number of blocks.
        mixers: a factory `dim -> Mixer` for each name.
        layers: names in the order of the layers, repeated over the depth: `[near, near, far]` makes a hybrid.
        position: where tokens are; default: nowhere.
        mlp: a factory `dim -> module`; None leaves it out.
        norm: a factory `dim -> module`; `torch.nn.Identity` leaves it out.
        dropout: on the embeddings and on each residual branch.
    """

    def __init__(
        self,
        dim: int,
        depth: int,
        mixers: Mapping[str, Factory],
        layers: Sequence[str] | None = None,
        *,
        position: Position | None = None,
        mlp: Factory | None = MLP,
        norm: Factory = nn.LayerNorm,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        names = list(layers) if layers is not None else list(mixers)
        for name in names:
            if name not in mixers:
                raise ConfigError(
                    f"backbone.layers names '{name}', and backbone.mixers has {sorted(mixers)}.{nearest(name, mixers)}"
                )
        if not names or depth < 0:
            raise ConfigError(f"backbone: depth={depth}, layers={names}: a backbone needs a mixer and depth ≥ 0.")
        self.dim = dim
        self.position = position or Position()
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            Block(
                mixers[names[layer % len(names)]](dim),
                mlp(dim) if mlp else None,
                norm(dim),
                norm(dim) if mlp else nn.Identity(),
                dropout,
            )
            for layer in range(depth)
        )
        self.norm = norm(dim)
        self._scale_residual_outputs()

    def forward(self, tokens: TokenSequence) -> TokenSequence:
        """Tokens (batch, length, dim) → the same shape, zeros at padding, whatever stood there."""
        context = Context(tokens.info, self.position)
        x = self._enter(tokens)
        for block in self.blocks:
            x = block(x, context)
        return tokens.with_embeddings(self.norm(x)).zero_padding()

    def step(self, tokens: TokenSequence, state: list[Any] | None) -> tuple[TokenSequence, list[Any]]:
        """The next tokens of documents whose earlier ones are in `state` (None at first); equal to one full pass.

        `tokens.info.order` must continue where the earlier tokens ended. Returns the output and the new state.
        """
        context = Context(tokens.info, self.position)
        x = self._enter(tokens)
        states = []
        for block, old in zip(self.blocks, state or [None] * len(self.blocks), strict=True):
            assert isinstance(block, Block)
            x, new = block.step(x, context, old)
            states.append(new)
        return tokens.with_embeddings(self.norm(x)).zero_padding(), states

    def _enter(self, tokens: TokenSequence) -> Tensor:
        # Kernels multiply padding by weights of zero, and 0 · NaN is NaN: from here on padding is finite.
        return self.dropout(self.position.embed(tokens.zero_padding().embeddings, tokens.info))

    @torch.no_grad()
    def _scale_residual_outputs(self) -> None:
        """Normal weights of deviation 0.02 / √(2 · depth) where a branch joins the residual stream, as in GPT-2."""
        for name, parameter in self.blocks.named_parameters():
            if name.endswith(("mixer.out.weight", "mlp.contract.weight")):
                parameter.normal_(std=0.02 / (2 * len(self.blocks)) ** 0.5)
