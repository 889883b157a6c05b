"""`mmattn bench sampling`: what it saves to read a prompt once."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from mmattn.benchmarks.painter import Painter
from mmattn.benchmarks.ratio import Ratio, ratio

STEPS = 20
TOLERANCE = 1e-5


def cached(model: Painter, turns: int, steps: int = STEPS) -> Ratio:
    """The text encoder, and every layer's keys and values, computed once, against anew in each step.

    Raises MmattnError where the results differ.
    """

    @torch.no_grad()
    def once() -> Tensor:
        memory = model.read()
        return model.sample(lambda: memory, steps)

    anew = partial(model.sample, model.read, steps)
    return ratio("context cached", once, "recomputed in each step", anew, turns, TOLERANCE)
