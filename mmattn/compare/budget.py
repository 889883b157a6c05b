"""The same number of parameters for each variant, by the width of its MLPs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mmattn.errors import ConfigError

RATIO = "backbone.mlp.ratio"
LEAST = 0.1
TRIED = (1.0, 2.0)


class Sized(NamedTuple):
    """The word that sizes a variant, if it needs one, and its parameters with it."""

    words: tuple[str, ...]
    parameters: int


def sized(count: Callable[[tuple[str, ...]], int], target: int, tolerance: float) -> Sized:
    """`count` gives the parameters of a variant with more words. They grow with the MLPs' ratio along a line, on which
    the ratio that reaches `target` is looked for.

    Raises `ConfigError` where none comes within `tolerance`, a share of the target.
    """
    own = count(())
    if abs(own / target - 1) <= tolerance:
        return Sized((), own)
    low, high = (count((f"{RATIO}={ratio}",)) for ratio in TRIED)
    slope = (high - low) / (TRIED[1] - TRIED[0])
    ratio = TRIED[0] + (target - low) / slope if slope else 0.0
    if ratio >= LEAST:
        words = (f"{RATIO}={ratio:.4f}",)
        found = count(words)
        if abs(found / target - 1) <= tolerance:
            return Sized(words, found)
    raise ConfigError(
        f"it has {own:,} parameters and the first variant {target:,}: no {RATIO} of {LEAST} or "
        f"more brings them within {tolerance:.0%}. Give it words that do, such as backbone.dim or the mixer's width."
    )
