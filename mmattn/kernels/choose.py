"""Which kernel computes attention: by name, or the one that is fastest here."""

from __future__ import annotations

from typing import NamedTuple

from mmattn.errors import ConfigError, nearest
from mmattn.kernels import blockwise, flex, reference, sdpa, varlen
from mmattn.kernels.crossover import crossover
from mmattn.kernels.flex_blocks import BLOCK, live_blocks
from mmattn.kernels.plan import draft
from mmattn.kernels.request import Kernel, Request

KERNELS: dict[str, Kernel] = {each.KERNEL.name: each.KERNEL for each in (reference, sdpa, blockwise, flex, varlen)}

FLEX_PAYS = 0.5  # live share of the blocks from which on `flex` is left; not measured, unlike the crossover on CPUs


class Choice(NamedTuple):
    """A kernel for a request, and why it is this one."""

    kernel: Kernel
    why: str


NO_MASK = Choice(KERNELS["sdpa"], "full or causal, one document a row, no padding: needs no mask")


def chosen(request: Request) -> Choice:
    """The kernel that `auto` takes."""
    visibility = request.visibility
    if visibility.needs_no_mask and request.bias is None:
        return NO_MASK
    choice = _on_cuda(request) if request.query.is_cuda else None
    if choice:
        return choice
    refusal = KERNELS["sdpa"].refusal(request)
    if refusal:
        return Choice(KERNELS["blockwise"], f"sdpa cannot: {refusal}")
    pairs = request.query.shape[2] * request.key.shape[2]
    most = crossover().share(pairs)
    if not most:
        return Choice(KERNELS["sdpa"], f"{pairs} pairs of tokens are too few for skipping to pay")
    share = draft(visibility).computed() / max(1, pairs * request.query.shape[0])
    if share <= most:
        return Choice(KERNELS["blockwise"], f"computes {share:.0%} of the pairs of tokens; pays here up to {most:.0%}")
    return Choice(
        KERNELS["sdpa"], f"skipping would leave {share:.0%} of the pairs of tokens; pays here up to {most:.0%}"
    )


def _on_cuda(request: Request) -> Choice | None:
    """What CUDA alone offers, where it can and pays."""
    if not KERNELS["varlen"].refusal(request):
        return Choice(KERNELS["varlen"], "full, causal or a window: FlashAttention without padding or masks")
    if KERNELS["flex"].refusal(request):
        return None
    refusal = KERNELS["sdpa"].refusal(request)
    if refusal:
        return Choice(KERNELS["flex"], f"sdpa cannot: {refusal}")
    share = live_blocks(request.visibility).share * request.query.shape[0]  # rows never see one another
    if request.query.shape[2] >= BLOCK and share <= FLEX_PAYS:
        return Choice(KERNELS["flex"], f"computes {share:.0%} of the blocks of tokens; taken up to {FLEX_PAYS:.0%}")
    return None


def named(name: str) -> Kernel:
    """The kernel called `name`. Raises ConfigError for a name that is not known."""
    if name not in KERNELS:
        raise ConfigError(f"There is no kernel '{name}'; known: auto, {', '.join(KERNELS)}.{nearest(name, KERNELS)}")
    return KERNELS[name]
