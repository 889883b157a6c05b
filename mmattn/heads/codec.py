"""Continuous content in and out of a backbone: what a flow or a diffusion is made on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from mmattn.errors import ConfigError
from mmattn.sequence import TokenInfo
from mmattn.tokenizer import Tokenizer


class Codec(nn.Module, ABC):
    """Content (batch, length, values), as `Tokenizer.content` gives it, to embeddings and back."""

    kind = "codec"

    @abstractmethod
    def enter(self, content: Tensor, info: TokenInfo) -> tuple[Tensor, Any]:
        """Embeddings (batch, length, dim), and what `leave` needs besides."""

    @abstractmethod
    def leave(self, embeddings: Tensor, kept: Any) -> Tensor:
        """Embeddings (batch, length, dim) → content."""


def content_size(tokenizer: Tokenizer) -> int:
    """Values a token. Raises `ConfigError` for discrete tokens."""
    if tokenizer.content_size is None:
        raise ConfigError(f"This head predicts continuous tokens, and {type(tokenizer).__name__} has none.")
    return tokenizer.content_size


class LinearCodec(Codec):
    """A matrix in, a norm and a matrix out, as in DiT (https://arxiv.org/abs/2212.09748); any continuous tokens."""

    def __init__(self, dim: int, tokenizer: Tokenizer, classes: int | None) -> None:
        super().__init__()
        size = content_size(tokenizer)
        self.inward, self.outward = nn.Linear(size, dim), nn.Linear(dim, size)

    def enter(self, content: Tensor, info: TokenInfo) -> tuple[Tensor, None]:
        return self.inward(content), None

    def leave(self, embeddings: Tensor, kept: None) -> Tensor:
        return self.outward(embeddings)


class GridCodec(Codec):
    """Convolutions from the resolution of the pixels down to that of the tokens, and back beside what they saw there,
    as a U-Net's (https://arxiv.org/abs/1505.04597).

    Patches alone do not agree about the edges that they share until late in training. For tokens that are patches of a
    picture, row by row, in batches of pictures of one size.

    Args:
        width: channels at the resolution of the pixels; each halving doubles them.
    """

    def __init__(self, dim: int, tokenizer: Tokenizer, classes: int | None, *, width: int = 32) -> None:
        super().__init__()
        size, patch = content_size(tokenizer), getattr(tokenizer, "patch", None)
        if patch is None:
            raise ConfigError(f"head=grid_codec works on patches of pictures, and {type(tokenizer).__name__} has none.")
        self.patch: tuple[int, int] = tuple(patch)
        self.channels = size // (self.patch[0] * self.patch[1])
        strides = halvings(*self.patch)
        widths = [*(width * 2**level for level in range(len(strides))), dim]
        self.first = nn.Conv2d(self.channels, width, 3, padding=1)
        self.levels = nn.ModuleList(
            Level(own, below, stride) for own, below, stride in zip(widths, widths[1:], strides, strict=False)
        )
        self.last = nn.Conv2d(width, self.channels, 3, padding=1)

    def enter(self, content: Tensor, info: TokenInfo) -> tuple[Tensor, list[Tensor]]:
        x, kept = self.first(self._picture(content, info)), []
        level: Any
        for level in self.levels:
            seen = level.look(silu(x))
            x = level.down(silu(seen))
            kept.append(seen)
        return x.flatten(2).transpose(1, 2), kept

    def leave(self, embeddings: Tensor, kept: list[Tensor]) -> Tensor:
        rows, columns = (side // patch for side, patch in zip(kept[0].shape[2:], self.patch, strict=True))
        x = embeddings.transpose(1, 2).unflatten(2, (rows, columns))
        level: Any
        for level, seen in zip(reversed(self.levels), reversed(kept), strict=True):
            x = silu(level.join(silu(torch.cat([level.up(x), seen], 1))))
        blocks = self.last(x).unflatten(3, (columns, -1)).unflatten(2, (rows, -1))  # (…, rows, h, columns, w)
        return blocks.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)

    def _picture(self, content: Tensor, info: TokenInfo) -> Tensor:
        """Patches (batch, rows · columns, channels · h · w) → (batch, channels, height, width)."""
        rows, columns = (int(each) + 1 for each in info.coordinates.flatten(0, 1).amax(0)[:2])
        if info.layout.padded or rows * columns != content.shape[1]:
            raise ConfigError(
                "head=grid_codec works on batches of pictures of one size: set tokenizer.parts.image.resize=[height, "
                "width], or head=linear_codec."
            )
        blocks = content.view(len(content), rows, columns, self.channels, *self.patch)
        return blocks.permute(0, 3, 1, 4, 2, 5).reshape(
            len(content), self.channels, rows * self.patch[0], columns * self.patch[1]
        )


class Level(nn.Module):
    """One resolution: what is seen there, the way down to the next coarser one, and the way back up."""

    def __init__(self, width: int, below: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.look = nn.Conv2d(width, width, 3, padding=1)
        self.down = nn.Conv2d(width, below, stride, stride=stride)
        self.up = nn.ConvTranspose2d(below, width, stride, stride=stride)
        self.join = nn.Conv2d(2 * width, width, 3, padding=1)


def halvings(height: int, width: int) -> list[tuple[int, int]]:
    """Strides that lead from pixels to patches: 2 as long as that divides a side, then what is left of it."""
    strides: list[tuple[int, int]] = []
    while height > 1 or width > 1 or not strides:
        down, across = (2 if side % 2 == 0 else side for side in (height, width))
        strides.append((down, across))
        height, width = height // down, width // across
    return strides
