"""A state that is corrected, not only added to: the delta rule, in chunks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.linalg import solve_triangular

from mmattn.scans.fading import arriving
from mmattn.scans.scan import facts, scan
from mmattn.scans.segments import Segments, cut


@scan(chunk=64)
def delta(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    rate: Tensor,
    segments: Segments,
    state: Tensor,
    chunk: int,
) -> tuple[Tensor, Tensor]:
    """Sₜ = Sₜ₋₁ + βₜ kₜ (vₜ − Sₜ₋₁ᵀ kₜ)ᵀ and yₜ = Sₜᵀ qₜ, from S = 0 where a document begins; padding leaves it alone.

    What token t writes is uₜ = βₜ (vₜ − Sᵀ kₜ − Σₛ (kₜ·kₛ) uₛ) of the chunk's first state S and its earlier tokens s: a
    triangular system, solved for all chunks at once but for S (https://arxiv.org/abs/2406.06484).

    query, key: (batch, heads, length, width), keys of length 1; value: (batch, heads, length, size); rate βₜ: (batch,
    heads, length); state: (batch, heads, width, size).
    Returns y (batch, heads, length, size), and the state after the last token.
    """
    rate = rate[..., None].masked_fill(~facts(segments.real, value), 0)
    q, k, v, rate = (cut(each, -2, chunk) for each in (query, key, value, rate))
    number = segments.chunks(chunk)[:, None]
    ends, arrives = number[..., -1:], arriving(number)
    sees = (number[..., :, None] == number[..., None, :]).tril()
    reads = (number == arrives)[..., None]  # whose document left a state
    system = ((k @ k.mT) * sees * rate).tril(-1)  # its unit diagonal is not read
    right = torch.cat([rate * v, rate * k * reads], -1)
    written, forgotten = solve_triangular(system, right, upper=False, unitriangular=True).split(
        [v.shape[-1], k.shape[-1]], -1
    )
    scores, read, into = (q @ k.mT) * sees, q * reads, k * (number == ends)[..., None]
    goes_on, outs = (arrives == ends)[..., None], []
    chunks = (each.unbind(2) for each in (written, forgotten, scores, read, into, goes_on))
    for w, f, s, r, i, g in zip(*chunks, strict=True):
        u = w - f @ state
        outs.append(s @ u + r @ state)
        state = g * state + i.mT @ u
    return torch.stack(outs, 2).flatten(2, 3), state
