"""A few learned tokens that read a sequence of any length (Perceiver, https://arxiv.org/abs/2103.03206)."""

from __future__ import annotations

import torch
from torch import nn

from mmattn.backbone import Backbone
from mmattn.errors import ConfigError
from mmattn.memory import Memory
from mmattn.sequence import PADDING, Layout, TokenInfo, TokenSequence


class Latents(nn.Module):
    """`count` learned queries a document, through a backbone that reads the tokens as its memory.

    With one latent it pools; with some it resamples (Flamingo); the tokens may be of any modalities, joined.

    Args:
        backbone: its layers name a cross-attention mixer, and self-attention where latents shall read one another.
        count: latents a document.
    """

    def __init__(self, backbone: Backbone, count: int = 1) -> None:
        super().__init__()
        if count < 1:
            raise ConfigError(f"latents.count={count} must be at least 1.")
        self.backbone, self.out_dim = backbone, backbone.out_dim
        self.queries = nn.Parameter(torch.randn(count, backbone.dim) * 0.02)

    def forward(self, tokens: TokenSequence | Memory) -> TokenSequence:
        """Tokens (batch, length, dim), one document a row → latents (batch, count, dim) of the same documents.

        Raises `ValueError` for packed rows: their documents have no rows of their own.
        """
        info = (tokens.tokens if isinstance(tokens, Memory) else tokens).info
        if not info.layout.one_document:
            raise ValueError("Latents read one document a row; unpack the rows first")
        return self.backbone(TokenSequence(self.queries.expand(len(info.document), -1, -1), self._facts(info)), tokens)

    def _facts(self, info: TokenInfo) -> TokenInfo:
        rows = len(info.document)
        order = torch.arange(len(self.queries), device=info.document.device).expand(rows, -1)
        zeros = torch.zeros_like(order)
        document = info.document.amax(1, keepdim=True) if info.document.shape[1] else zeros[:, :1] + PADDING
        return TokenInfo(
            order,
            order[..., None],
            document.expand_as(order),
            zeros,
            zeros.bool(),
            known_layout=Layout(True, info.layout.padded),
        )
