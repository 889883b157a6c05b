"""Points that stand for many."""

from __future__ import annotations

import torch
from torch import Tensor

ROUNDS = 15  # little changes after them


def k_means(points: Tensor, count: int, generator: torch.Generator, rounds: int = ROUNDS) -> Tensor:
    """`count` centres (count, values) of points (points, values), by Lloyd's rounds from the seeds of k-means++
    (Arthur and Vassilvitskii 2007); a centre that no point is nearest to stays where it is.

    Raises `ValueError` where fewer than `count` points differ.
    """
    centres = _seeds(points, count, generator)
    for _ in range(rounds):
        owner = nearest_centre(points, centres)
        size = torch.bincount(owner, minlength=count)[:, None]
        total = torch.zeros_like(centres).index_add(0, owner, points)
        centres = torch.where(size > 0, total / size.clamp(min=1), centres)
    return centres


def nearest_centre(points: Tensor, centres: Tensor) -> Tensor:
    """Which centre each point is nearest to: (points,)."""
    return (centres.square().sum(1) - 2 * points @ centres.T).argmin(1)


def _seeds(points: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Points drawn one by one, with chances in proportion to the square of the distance to those drawn before."""
    chosen = [int(torch.randint(len(points), (), generator=generator))]
    distance = (points - points[chosen[0]]).square().sum(1)
    while len(chosen) < count:
        if not bool(distance.any()):
            raise ValueError(f"{count} centres need as many points that differ, and there are {len(chosen)}")
        place = torch.rand((), dtype=torch.float64, generator=generator) * distance.double().sum()
        chosen.append(int(torch.searchsorted(distance.double().cumsum(0), place).clamp(max=len(points) - 1)))
        distance = torch.minimum(distance, (points - points[chosen[-1]]).square().sum(1))
    return points[chosen]
