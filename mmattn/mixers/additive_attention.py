"""A recurrent decoder that looks at another sequence before each of its steps: where attention began."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmattn.context import Context
from mmattn.limits import whole
from mmattn.mixers.scanning import Scanning
from mmattn.patterns import Full
from mmattn.scans import Segments


class AdditiveAttention(Scanning):
    """sₜ = GRU([xₜ; cₜ], sₜ₋₁), cₜ = Σⱼ αₜⱼ hⱼ, αₜ = softmaxⱼ(vᵀ tanh(W sₜ₋₁ + U hⱼ)) over the memory's tokens hⱼ of
    the same document; out([sₜ; cₜ]) (https://arxiv.org/abs/1409.0473).

    s₀ = 0, which the paper makes of the encoder's last state, and what is read out is linear, not maxout. What is
    looked at depends on the last state, so tokens are gone through one by one. A document without memory reads 0.

    Args:
        dim: model width.
        hidden: width of the state and of the scores; None: `dim`.
        memory_dim: width of the memory; None: `dim`.
    """

    reads_memory = True

    def __init__(self, dim: int, *, hidden: int | None = None, memory_dim: int | None = None) -> None:
        super().__init__()
        hidden, source = dim if hidden is None else hidden, dim if memory_dim is None else memory_dim
        whole("hidden", hidden, 1)
        whole("memory_dim", source, 1)
        self.memory_dim = source
        self.cell = nn.GRUCell(dim + source, hidden)
        self.query, self.key = nn.Linear(hidden, hidden, bias=False), nn.Linear(source, hidden)
        self.score = nn.Linear(hidden, 1, bias=False)
        self.out = nn.Linear(hidden + source, dim)

    def run(self, x: Tensor, context: Context, segments: Segments, state: Tensor | None) -> tuple[Tensor, Tensor]:
        outs, _, state = self._walk(x, context, segments, state)
        return self.out(torch.stack(outs, 1)) if outs else x, state

    def alignment(self, x: Tensor, context: Context) -> Tensor:
        """α (batch, length, tokens of the memory): what each token looked at."""
        return torch.stack(self._walk(x, context, Segments.of(context.info.document), None)[1], 1)

    def _walk(
        self, x: Tensor, context: Context, segments: Segments, state: Tensor | None
    ) -> tuple[list[Tensor], list[Tensor], Tensor]:
        """[sₜ; cₜ] and αₜ of each token, and the last state (batch, hidden)."""
        memory = context.read()
        values, keys = memory.tokens.embeddings, memory.kept(self, lambda tokens: self.key(tokens.embeddings))
        visible = context.memory_visibility(Full()).mask[:, 0]
        if state is None:
            state = x.new_zeros(len(x), self.cell.hidden_size)
        begins = segments.begins
        outs, weights = [], []
        for t in range(x.shape[1]):
            before = state.masked_fill(begins[:, t, None], 0)
            score = self.score(torch.tanh(self.query(before)[:, None] + keys))[..., 0]
            seen = visible[:, t]
            weight = score.masked_fill(~seen, torch.finfo(score.dtype).min).softmax(-1) * seen
            read = (weight[:, None] @ values)[:, 0]
            after = self.cell(torch.cat([x[:, t], read], -1), before)
            state = torch.where(segments.real[:, t, None], after, state)
            outs.append(torch.cat([after, read], -1))
            weights.append(weight)
        return outs, weights, state
