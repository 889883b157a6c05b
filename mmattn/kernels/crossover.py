"""From what lengths and shares on skipping blocks is faster than a dense mask, on this machine."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

from mmattn.errors import ConfigError


class Crossover(NamedTuple):
    """shares[n]: with √(queries · keys) from n on, `blockwise` is faster than a dense mask if it computes no larger
    share of all pairs; measured: where and when, or that these are the values that come with mmattn."""

    shares: dict[int, float]
    measured: str

    def share(self, pairs: int) -> float:
        """The largest share that pays for so many pairs of tokens: that of the longest length among them, 0 if none."""
        lengths = [length for length in self.shares if length**2 <= pairs]
        return self.shares[max(lengths)] if lengths else 0.0

    def save(self) -> Path:
        """Keep it for this machine; returns where."""
        path = place()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self._asdict(), indent=1), encoding="utf-8")
        crossover.cache_clear()
        return path


# From windows timed on two cores of an x86 server CPU with AVX2, torch 2.14; rounded down, as machines differ.
SHIPPED = Crossover(
    {512: 0.3, 1024: 0.5, 2048: 0.7, 4096: 0.8}, "shipped with mmattn; `mmattn kernels --measure` measures yours"
)


def place() -> Path:
    """The file that holds this machine's crossover; MMATTN_CACHE moves it."""
    return Path(os.environ.get("MMATTN_CACHE") or Path.home() / ".cache" / "mmattn") / "crossover.json"


@cache
def crossover() -> Crossover:
    """This machine's where it was measured, else the shipped one."""
    path = place()
    if not path.exists():
        return SHIPPED
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Crossover(
            {int(length): float(share) for length, share in found["shares"].items()}, str(found["measured"])
        )
    except (ValueError, KeyError, AttributeError, TypeError):
        raise ConfigError(
            f"{path} does not hold crossover points: delete it, or run `mmattn kernels --measure`."
        ) from None
