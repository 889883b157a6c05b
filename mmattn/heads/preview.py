"""Content guessed from a context alone."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmattn.backbone import Backbone
from mmattn.heads.codec import content_size
from mmattn.memory import Memory
from mmattn.sequence import TokenInfo, TokenSequence
from mmattn.tokenizer import Tokenizer


class Preview(nn.Module):
    """What a context lets expect of each token of the target: the mean of all data that it fits.

    A flow's loss hardly tells the encoder of its context in which order words stand: which thing stands on which side
    shows only together with which thing it is. What is seen from the context alone cannot be guessed without.

    Args:
        backbone: its cross-attention reads the context; its position tells tokens of the target apart.
    """

    def __init__(self, tokenizer: Tokenizer, backbone: Backbone) -> None:
        super().__init__()
        self.backbone, self.out = backbone, nn.Linear(backbone.dim, content_size(tokenizer))

    def forward(self, memory: Memory, info: TokenInfo) -> Tensor:
        """Facts (batch, length) of the target's tokens → content (batch, length, values)."""
        blank = torch.zeros(*info.order.shape, self.backbone.dim, device=info.order.device)
        return self.out(self.backbone(TokenSequence(blank, info), memory).embeddings)
