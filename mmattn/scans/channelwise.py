"""A state each of whose channels fades at its own rate: gated linear attention, in chunks."""

from __future__ import annotations

from torch import Tensor

from mmattn.scans.decayed import carry
from mmattn.scans.fading import arriving, faded
from mmattn.scans.scan import facts, scan
from mmattn.scans.segments import Segments, cut


@scan(chunk=16)  # what tokens of a chunk keep of each other is made channel by channel, and costs memory
def channelwise(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    log_decay: Tensor,
    segments: Segments,
    state: Tensor,
    chunk: int,
) -> tuple[Tensor, Tensor]:
    """Sₜ = diag(αₜ) Sₜ₋₁ + kₜ vₜᵀ and yₜ = Sₜᵀ qₜ (https://arxiv.org/abs/2312.06635), from S = 0 where a document
    begins; padding leaves the state alone.

    query, key, log_decay (log αₜ ≤ 0): (batch, heads, length, width); value: (batch, heads, length, size); state:
    (batch, heads, width, size). Returns y (batch, heads, length, size), and the state after the last token.
    """
    fades = log_decay.masked_fill(~facts(segments.goes_on, log_decay), 0)
    q, k, v, total = (cut(each, -2, chunk) for each in (query, key, value, fades))
    total = total.cumsum(-2)  # (batch, heads, chunks, chunk, width)
    number = segments.chunks(chunk)[:, None]
    ends, end, arrives = number[..., -1:], total[..., -1:, :], arriving(number)
    sees = (number[..., :, None] == number[..., None, :]).tril()[..., None]
    left = faded(sees, total[..., :, None, :] - total[..., None, :, :])  # (…, later, earlier, width)
    scores = (q[..., :, None, :] * left * k[..., None, :, :]).sum(-1)
    added = (k * faded((number == ends)[..., None], end - total)).mT @ v
    found, state = carry(added, faded((arrives == ends)[..., None], end).mT, state)
    read = (q * faded((number == arrives)[..., None], total)) @ found
    return (scores @ v + read).flatten(2, 3), state
