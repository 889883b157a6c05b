"""How the learning rate goes over a training: a factor in [0, 1] from the fraction of the steps that is done."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mmattn.limits import within


@dataclass(frozen=True)
class WarmupCosine:
    """Linear warm-up over the first `warmup` of the steps, then a half cosine down to `floor`."""

    warmup: float = 0.05
    floor: float = 0.01

    def __post_init__(self) -> None:
        within("schedule.warmup", self.warmup, least=0, below=1)
        within("schedule.floor", self.floor, least=0, most=1)

    def __call__(self, done: float) -> float:
        if done < self.warmup:
            return done / self.warmup
        fallen = (done - self.warmup) / (1 - self.warmup)
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * min(fallen, 1.0)))


@dataclass(frozen=True)
class WarmupStableDecay:
    """Linear warm-up, a plateau, and a linear fall to 0 over the last `decay` (https://arxiv.org/abs/2404.06395)."""

    warmup: float = 0.05
    decay: float = 0.3

    def __post_init__(self) -> None:
        within("schedule.warmup", self.warmup, least=0, below=1)
        within("schedule.decay", self.decay, above=0, most=1)

    def __call__(self, done: float) -> float:
        return max(0.0, min(1.0, done / self.warmup if self.warmup else 1.0, (1 - done) / self.decay))
