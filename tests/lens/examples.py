"""Models, tokens and a second way to say what the weights are, for the tests of the lens."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch

from mmattn import ALiBi, Attention, Backbone, CrossAttention, TokenInfo, TokenSequence
from mmattn.biases import Chain, DistanceBuckets, GridOffsets, SoftCap
from mmattn.kernels.biased import biased
from mmattn.mixers import Headed
from tests.core.examples import facts

BIASES = {
    "none": None,
    "alibi": ALiBi,
    "learned": partial(DistanceBuckets, buckets=8, furthest=6),
    "grid": partial(GridOffsets, rows=2, columns=2),
    "soft cap": partial(Chain, biases=[ALiBi, partial(SoftCap, cap=0.5)]),
}


def on_grid(info: TokenInfo) -> TokenInfo:
    """The same tokens with a row and a column, three columns to a row."""
    return replace(info, coordinates=torch.stack([info.order // 3, info.order % 3], -1))


READ = on_grid(facts([[0, 0, 0, 1, 1, 1, -1], [2, 2, 3, 3, 3, 3, 3]]))
"""What cross-attention reads; documents that it does not have read nothing."""


def both(pattern=None, *, depth=2, **arguments) -> Backbone:
    """Self-attention, then cross-attention, and again; float64, ready for evaluation."""
    torch.manual_seed(1)
    arguments = {"heads": 4, "key_heads": 2, "qk_norm": True, **arguments}
    mixers = {"own": partial(Attention, pattern=pattern, **arguments), "other": partial(CrossAttention, **arguments)}
    return Backbone(16, depth, mixers).double().eval()


def tokens(info: TokenInfo, seed: int = 0) -> TokenSequence:
    generator = torch.Generator().manual_seed(seed)
    return TokenSequence(torch.randn(*info.order.shape, 16, dtype=torch.float64, generator=generator), info)


def listen(model: Backbone) -> dict[str, list[torch.Tensor]]:
    """Each attention layer's weights, call by call, by exp(score) / Σ exp(score) over all pairs at once."""
    calls: dict[str, list[torch.Tensor]] = {}

    def listening(name, attend):
        def heard(query, key, value, visibility, scale, *, bias, dropout):
            key_of_head = key.repeat_interleave(query.shape[1] // key.shape[1], 1)
            scores = biased(bias, torch.einsum("bhqd,bhkd->bhqk", query, key_of_head) * scale, *visibility.facts)
            exponent = scores.exp() * visibility.mask
            total = exponent.sum(-1, keepdim=True)
            calls.setdefault(name, []).append((exponent / total.where(total > 0, 1.0)).detach())
            return attend(query, key, value, visibility, scale, bias=bias, dropout=dropout)

        return heard

    for name, layer in model.named_modules():
        if isinstance(layer, Headed):
            layer.attend = listening(name, layer.attend)
    return calls
