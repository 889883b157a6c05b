"""A stack of layers over tokens: each mixes them, then works on each alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmattn.context import Context
from mmattn.errors import ConfigError, nearest
from mmattn.memory import Memory
from mmattn.mlp import MLP
from mmattn.positions import Position
from mmattn.residual import Residual
from mmattn.sequence import TokenSequence

Factory = Callable[..., Any]


class Block(Residual):
    """Pre-norm residual layer (https://arxiv.org/abs/2002.04745); without an `mlp` it mixes tokens and no more."""

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
        without_mlp: names of `layers` that mix tokens and have no MLP.
        block: what holds a mixer and an MLP together: `Block`, or `AdaptiveBlock`, which follows a condition.
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
        without_mlp: Sequence[str] = (),
        block: Factory = Block,
        norm: Factory = nn.LayerNorm,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        names = list(layers) if layers is not None else list(mixers)
        _check_names("backbone.layers", names, "backbone.mixers has", mixers)
        _check_names("backbone.without_mlp", without_mlp, "backbone.layers has", names)
        if not names or depth < 0:
            raise ConfigError(f"backbone: depth={depth}, layers={names}: a backbone needs a mixer and depth ≥ 0.")
        if 0 < depth < len(names):
            raise ConfigError(
                f"backbone.layers names {len(names)} layers, of which depth={depth} would leave out "
                f"{', '.join(names[depth:])}: set backbone.depth={len(names)}."
            )
        self.dim = dim
        self.position = position or Position()
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList()
        for layer in range(depth):
            name = names[layer % len(names)]
            alone = None if name in without_mlp else mlp
            parts = mixers[name](dim), alone(dim) if alone else None, norm(dim), norm(dim) if alone else nn.Identity()
            self.blocks.append(block(dim, *parts, dropout))
        self.norm = norm(dim)
        self._scale_residual_outputs()

    @property
    def out_dim(self) -> int:
        """Width of the output."""
        return self.dim

    def forward(
        self, tokens: TokenSequence, memory: TokenSequence | Memory | None = None, condition: Tensor | None = None
    ) -> TokenSequence:
        """Tokens (batch, length, dim) → the same shape, zeros at padding, whatever stood there.

        `memory`, of the same documents, is what cross-attention layers read: a `Memory` is read again without work.
        `condition` (documents, dim) is what adaptive blocks follow.
        """
        context = self._context(tokens, memory, condition)
        x = self._enter(tokens)
        for block in self.blocks:
            x = block(x, context)
        return tokens.with_embeddings(self.norm(x)).zero_padding()

    def step(
        self,
        tokens: TokenSequence,
        state: list[Any] | None,
        memory: TokenSequence | Memory | None = None,
        condition: Tensor | None = None,
    ) -> tuple[TokenSequence, list[Any]]:
        """The next tokens of documents whose earlier ones are in `state` (None at first); equal to one full pass.

        `tokens.info.order` must continue where the earlier tokens ended; `memory` and `condition` as in `forward`.
        Returns the output and the new state.
        """
        context = self._context(tokens, memory, condition)
        x = self._enter(tokens)
        states = []
        for block, old in zip(self.blocks, state or [None] * len(self.blocks), strict=True):
            x, new = block.step(x, context, old)  # type: ignore[operator]
            states.append(new)
        return tokens.with_embeddings(self.norm(x)).zero_padding(), states

    def _context(
        self, tokens: TokenSequence, memory: TokenSequence | Memory | None, condition: Tensor | None
    ) -> Context:
        read = Memory(memory) if isinstance(memory, TokenSequence) else memory
        return Context(tokens.info, self.position, read, condition)

    def _enter(self, tokens: TokenSequence) -> Tensor:
        # Kernels multiply padding by weights of zero, and 0 · NaN is NaN: from here on padding is finite.
        return self.dropout(self.position.embed(tokens.zero_padding().embeddings, tokens.info))

    @torch.no_grad()
    def _scale_residual_outputs(self) -> None:
        """Normal weights of deviation 0.02 / √(2 · depth) where a branch joins the residual stream, as in GPT-2."""
        for name, parameter in self.blocks.named_parameters():
            if name.endswith(("mixer.out.weight", "there.out.weight", "back.out.weight", "mlp.contract.weight")):
                parameter.normal_(std=0.02 / (2 * len(self.blocks)) ** 0.5)


def _check_names(key: str, names: Iterable[str], there: str, known: Iterable[str]) -> None:
    for name in names:
        if name not in known:
            raise ConfigError(f"{key} names '{name}', and {there} {sorted(set(known))}.{nearest(name, known)}")
