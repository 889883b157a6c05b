"""`mmattn bench capture`: what it costs to watch a layer."""

from __future__ import annotations

import torch
from torch import Tensor

from mmattn.benchmarks.painter import Painter
from mmattn.benchmarks.ratio import Ratio, ratio
from mmattn.lens import Mean, capture

LAYER = "backbone.blocks.4.mixer"  # cross-attention, in the middle
STEPS = 5


def watched(model: Painter, turns: int, layer: str = LAYER) -> Ratio:
    """Sampling with the mean map of one layer taken on the way, against sampling alone; outputs must be the same bits.

    Raises MmattnError where they are not.
    """
    with torch.no_grad():
        memory = model.read()

    def alone() -> Tensor:
        return model.sample(lambda: memory, STEPS)

    def seen() -> Tensor:
        mean = Mean()
        with capture(model, layer, reduce=mean):
            out = alone()
        assert mean.count == STEPS
        return out

    return ratio("capture on", seen, "off", alone, turns)
