"""A model like that of text_to_image, of any width and without training, to be timed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mmattn.adaptive import AdaptiveBlock, TimeEmbedding
from mmattn.backbone import Backbone
from mmattn.memory import Memory
from mmattn.mixers import Attention, CrossAttention, GridConvolution
from mmattn.positions import Learned
from mmattn.sequence import TokenInfo, TokenSequence
from mmattn.tasks.flow import euler, time_grid

HEAD_DIM = 64


class Painter(nn.Module):
    """A text encoder of 2 layers; a backbone of `depth` layers: convolution, cross-attention, self-attention.

    Args:
        dim: width of both, a multiple of 64.
        side: tokens of the picture are side × side.
        words: tokens of the text.
    """

    def __init__(self, dim: int = 512, side: int = 8, words: int = 77, depth: int = 12) -> None:
        super().__init__()
        heads = max(1, dim // HEAD_DIM)
        own = partial(Attention, heads=heads, qk_norm=True)
        mixers: dict[str, Callable[..., Any]] = {
            "grid": GridConvolution,
            "cross": partial(CrossAttention, heads=heads, qk_norm=True),
            "self": own,
        }
        self.encoder = Backbone(dim, 2, {"self": own}, position=Learned(dim, [words]))
        where, lean = Learned(dim, [side, side]), ["grid", "cross"]
        self.backbone = Backbone(dim, depth, mixers, position=where, without_mlp=lean, block=AdaptiveBlock)
        self.time = TimeEmbedding(dim)
        for name, parameter in self.backbone.named_parameters():
            if "modulation.weight" in name:  # zeros before training: all layers would do nothing
                nn.init.normal_(parameter, std=0.5 * dim**-0.5)
        places = torch.cartesian_prod(torch.arange(side), torch.arange(side))[None]
        self.info = TokenInfo.from_lengths([side * side], coordinates=places)
        self.text = TokenSequence(torch.randn(1, words, dim), TokenInfo.from_lengths([words]))
        self.noise = torch.randn(1, side * side, dim)

    def read(self) -> Memory:
        """The text encoded; keys and values are made of it when a layer first reads it."""
        return Memory(self.encoder(self.text))

    @torch.no_grad()
    def sample(self, memory: Callable[[], Memory], steps: int) -> Tensor:
        """(1, side², dim) from noise, guessing the data in every step from what `memory` gives."""

        def guess(x: Tensor, time: Tensor) -> Tensor:
            return self.backbone(TokenSequence(x, self.info), memory(), self.time(time)).embeddings

        return euler(guess, self.noise, time_grid(steps, 2.0))


def painter(**sizes: int) -> Painter:
    """The same one every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Painter(**sizes).eval()
