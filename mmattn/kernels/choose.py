"""Which kernel computes attention: by name, or the one that is fastest here."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from mmattn.errors import ConfigError, nearest
from mmattn.kernels import blockwise, reference, sdpa
from mmattn.kernels.crossover import crossover
from mmattn.kernels.plan import draft
from mmattn.kernels.request import Kernel, Request
from mmattn.patterns import Causal, Full

KERNELS: dict[str, Kernel] = {each.KERNEL.name: each.KERNEL for each in (reference, sdpa, blockwise)}


class Choice(NamedTuple):
    """A kernel for a request, and why it is this one."""

    kernel: Kernel
    why: str


def chosen(request: Request) -> Choice:
    """The kernel that `auto` takes."""
    visibility, pairs = request.visibility, request.query.shape[2] * request.key.shape[2]
    refusal = KERNELS["sdpa"].refusal(request)
    if refusal:
        return Choice(KERNELS["blockwise"], f"sdpa cannot: {refusal}")
    if visibility.is_plain and type(visibility.pattern) in (Full, Causal) and request.bias is None:
        return Choice(KERNELS["sdpa"], "full or causal, one document a row, no padding: needs no mask")
    most = crossover().share(pairs)
    if not most:
        return Choice(KERNELS["sdpa"], f"{pairs} pairs of tokens are too few for skipping to pay")
    share = draft(visibility).computed() / max(1, pairs * request.query.shape[0])
    if share <= most:
        return Choice(KERNELS["blockwise"], f"computes {share:.0%} of the pairs of tokens; pays here up to {most:.0%}")
    return Choice(
        KERNELS["sdpa"], f"skipping would leave {share:.0%} of the pairs of tokens; pays here up to {most:.0%}"
    )


def _auto(request: Request) -> Tensor:
    return chosen(request).kernel.compute(request)


AUTO = Kernel("auto", "the fastest here", _auto, lambda request: None)


def choose(name: str = "auto") -> Kernel:
    """The kernel called `name`. Raises ConfigError for a name that is not known."""
    if name == "auto":
        return AUTO
    if name not in KERNELS:
        raise ConfigError(f"There is no kernel '{name}'; known: auto, {', '.join(KERNELS)}.{nearest(name, KERNELS)}")
    return KERNELS[name]
