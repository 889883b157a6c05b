"""The recurrences as their papers write them, token by token: what faster forms are tested against."""

from __future__ import annotations

import torch
from torch import Tensor

from mmattn.scans.segments import Segments


def recurrence(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    decay: Tensor,
    segments: Segments,
    state: Tensor | None = None,
    rate: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Sₜ = diag(αₜ) Sₜ₋₁ + kₜ vₜᵀ and yₜ = Sₜᵀ qₜ, from S = 0 where a document begins; padding leaves the state alone.

    With a `rate` βₜ the delta rule: kₜ is first asked what it holds, Sₜ = S + βₜ kₜ (vₜ − Sᵀ kₜ)ᵀ of S = diag(αₜ) Sₜ₋₁.

    query, key: (batch, heads, length, width); value: (batch, heads, length, size); decay αₜ: (batch, heads, length,
    width or 1); rate: (batch, heads, length); state: (batch, heads, width, size).
    Returns y (batch, heads, length, size), and the state after the last token.
    """
    if state is None:
        state = value.new_zeros(*value.shape[:2], key.shape[-1], value.shape[-1])
    outs = []
    for t in range(value.shape[2]):
        begins = segments.begins[:, t, None, None, None]
        real = segments.real[:, t, None, None, None]
        q, k, v = query[:, :, t, :, None], key[:, :, t, :, None], value[:, :, t, None]
        before = torch.where(begins, 0, state) * decay[:, :, t, :, None]
        if rate is not None:
            v = rate[:, :, t, None, None] * (v - (before * k).sum(2, keepdim=True))
        state = torch.where(real, before + k * v, state)
        outs.append((state * q).sum(2))
    return torch.stack(outs, 2) if outs else value, state


def weights(query: Tensor, key: Tensor, decay: Tensor, segments: Segments) -> Tensor:
    """The quadratic form: y = W v without a rate, Wₜₛ = qₜᵀ diag(αₛ₊₁ … αₜ) kₛ for s ≤ t in a document, 0 elsewhere.

    Shapes as in `recurrence`; returns (batch, heads, length, length).
    """
    total = decay.log().masked_fill(~segments.real[:, None, :, None], 0).cumsum(2)
    faded = (total[:, :, :, None] - total[:, :, None]).exp()  # (batch, heads, t, s, width)
    scores = torch.einsum("bhtd,bhsd,bhtsd->bhts", query, key, faded.expand(*faded.shape[:-1], key.shape[-1]))
    same = segments.number[:, :, None] == segments.number[:, None]
    sees = (same & segments.real[:, None]).tril()
    return scores.masked_fill(~sees[:, None], 0)
