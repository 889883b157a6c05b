"""Metrics over samples, of which a long one is seen in pieces."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


class PerSample(Metric):
    """A metric of chances (pieces, classes) averaged over the pieces of each sample, as predictions are."""

    full_state_update = False

    def __init__(self, metric: Metric) -> None:
        super().__init__()
        self.metric = metric
        for name in ("chances", "targets", "samples"):
            self.add_state(name, [], dist_reduce_fx="cat")

    def update(self, chances: Tensor, targets: Tensor, samples: Tensor) -> None:
        """`samples` (pieces,) says which sample each piece is of; all pieces of one have the same target."""
        for kept, new in ((self.chances, chances), (self.targets, targets), (self.samples, samples)):
            kept.append(new)  # type: ignore[operator, union-attr]

    def compute(self) -> Any:
        chances, targets, samples = (dim_zero_cat(each) for each in (self.chances, self.targets, self.samples))  # type: ignore[arg-type]
        place = samples.unique(return_inverse=True)[1]
        count = torch.bincount(place)
        total = chances.new_zeros(len(count), chances.shape[1]).index_add(0, place, chances)
        target = targets.new_zeros(len(count), *targets.shape[1:])
        target[place] = targets
        self.metric.reset()
        return self.metric(total / count[:, None], target)
