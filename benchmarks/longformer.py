"""Longformer's attention as in transformers (https://arxiv.org/abs/2004.05150): a window on both sides in chunks."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from mmattn.benchmarks.problem import HEAD_DIM, HEADS, Attend, Problem
from mmattn.patterns import SlidingWindow


def longformer(problem: Problem) -> Attend:
    """Attention alone: its three projections are replaced by modules that give query, key and value as they are."""
    from transformers import LongformerConfig
    from transformers.models.longformer.modeling_longformer import LongformerSelfAttention

    window = 2 * cast(SlidingWindow, problem.pattern).before  # both sides together
    config = LongformerConfig(
        hidden_size=HEADS * HEAD_DIM,
        num_attention_heads=HEADS,
        attention_window=[window],
        attention_probs_dropout_prob=0.0,
    )
    with torch.device("meta"):  # its own weights are never used
        layer = LongformerSelfAttention(config, layer_id=0)
    projections = [_Given() for _ in range(3)]
    for name, projection in zip(("query", "key", "value"), projections, strict=True):
        setattr(layer, name, projection)
    seen = torch.zeros(1, problem.length)  # added to scores
    hidden = torch.empty(1, problem.length, HEADS * HEAD_DIM)  # read for its shape alone

    def attend(*inputs: Tensor) -> Tensor:
        for projection, each in zip(projections, inputs, strict=True):
            projection.value = each.permute(2, 0, 1, 3).flatten(2)  # (length, 1, HEADS · HEAD_DIM)
        out = layer(hidden, seen, is_index_masked=seen.bool(), is_global_attn=False)[0]
        return out.unflatten(2, (HEADS, HEAD_DIM)).transpose(1, 2)

    return attend


class _Given(nn.Module):
    """Gives `value`, as a copy: the layer scales its queries in place."""

    value: Tensor

    def forward(self, hidden: Tensor) -> Tensor:
        return self.value.clone()
