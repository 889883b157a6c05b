"""A state that fades by one number a token and head: linear attention, retention, Mamba-2; in chunks."""

from __future__ import annotations

import torch
from torch import Tensor

from mmattn.scans.fading import arriving, faded, fading
from mmattn.scans.scan import scan
from mmattn.scans.segments import Segments, cut


@scan(chunk=64)
def decayed(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    log_decay: Tensor | None,
    segments: Segments,
    state: Tensor,
    chunk: int,
) -> tuple[Tensor, Tensor]:
    """Sₜ = αₜ Sₜ₋₁ + kₜ vₜᵀ and yₜ = Sₜᵀ qₜ, from S = 0 where a document begins; padding leaves the state alone.

    Tokens of a chunk read each other by the quadratic form, and all before them through the state at its beginning
    (https://arxiv.org/abs/2405.21060): memory and time grow as the length. Heads of a group share queries and keys.

    query, key: (batch, groups, length, width); value: (batch, groups, heads, length, size); log_decay: log αₜ ≤ 0,
    (batch, groups, heads, length), None for 0; state: (batch, groups, heads, width, size).
    Returns y (batch, groups, heads, length, size), and the state after the last token.
    """
    q, k, v = (cut(each, -2, chunk) for each in (query, key, value))
    number = segments.chunks(chunk)[:, None, None]  # (batch, 1, 1, chunks, chunk)
    if log_decay is None:
        total = value.new_zeros(number.shape)
    else:
        # What a document begins with fades nothing: a strong decay there must not cost the sums behind it their digits.
        total = cut(log_decay.masked_fill(~segments.goes_on[:, None, None], 0), -1, chunk).cumsum(-1)
    ends, end, arrives = number[..., -1:], total[..., -1:], arriving(number)
    y = ((q @ k.mT)[:, :, None] * fading(total, number)) @ v
    added = k.mT[:, :, None] @ (v * faded(number == ends, end - total)[..., None])
    found, state = carry(added, faded(arrives == ends, end)[..., None], state)
    read = (q[:, :, None] @ found) * faded(number == arrives, total)[..., None]
    return (y + read).flatten(3, 4), state


def carry(added: Tensor, kept: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """The state that each chunk begins with (…, chunks, width, size), and the one after the last.

    added: what each chunk adds; kept (…, chunks, 1, 1): the share of what it begins with that it leaves.
    """
    found = []
    for more, share in zip(added.unbind(-3), kept.unbind(-3), strict=True):
        found.append(state)
        state = share * state + more
    return torch.stack(found, -3), state
