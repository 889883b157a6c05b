"""A state each of whose channels fades at its own rate: gated linear attention, in chunks."""

from __future__ import annotations

from torch import Tensor

from mmattn.scans.decayed import carry
from mmattn.scans.fading import arriving, faded
from mmattn.scans.segments import Segments, cut
from mmattn.scans.single import in_single

CHUNK = 16  # what tokens of a chunk keep of each other is made channel by channel: it never overflows, and costs memory


@in_single
def channelwise(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    log_decay: Tensor,
    segments: Segments,
    state: Tensor | None = None,
    chunk: int = CHUNK,
) -> tuple[Tensor, Tensor]:
    """Sₜ = diag(αₜ) Sₜ₋₁ + kₜ vₜᵀ and yₜ = Sₜᵀ qₜ (https://arxiv.org/abs/2312.06635), from S = 0 where a document
    begins; padding leaves the state alone.

    query, key, log_decay (log αₜ ≤ 0): (batch, heads, length, width); value: (batch, heads, length, size); state:
    (batch, heads, width, size). Returns y (batch, heads, length, size), and the state after the last token.
    """
    length = value.shape[2]
    if state is None:
        state = value.new_zeros(*value.shape[:2], key.shape[-1], value.shape[-1])
    if not length:
        return value, state
    chunk = min(chunk, length)
    padding, fades = ~segments.real[:, None, :, None], segments.goes_on[:, None, :, None]
    cleared = query, key.masked_fill(padding, 0), value.masked_fill(padding, 0), log_decay.masked_fill(~fades, 0)
    q, k, v, total = (cut(each, 2, chunk) for each in cleared)
    total = total.cumsum(-2)  # (batch, heads, chunks, chunk, width)
    number = segments.chunks(chunk)[:, None]
    ends, end, arrives = number[..., -1:], total[..., -1:, :], arriving(number)
    sees = (number[..., :, None] == number[..., None, :]).tril()[..., None]
    left = faded(sees, total[..., :, None, :] - total[..., None, :, :])  # (…, later, earlier, width)
    scores = (q[..., :, None, :] * left * k[..., None, :, :]).sum(-1)
    added = (k * faded((number == ends)[..., None], end - total)).mT @ v
    found, state = carry(added, faded((arrives == ends)[..., None], end).mT, state)
    read = (q * faded((number == arrives)[..., None], total)) @ found
    return (scores @ v + read).flatten(2, 3)[..., :length, :], state
