"""How the experiments train: the same for all that is compared."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

UNASKED = -1
"""The target of a place that is not asked for."""
Draw = Callable[[Generator], tuple[Tensor, Tensor]]
"""A batch: ids (batch, length), and targets of the same shape."""


class Fitted(NamedTuple):
    """`losses` (step, loss), a mean of each tenth; seconds of the training."""

    losses: list[tuple[int, float]]
    seconds: float


def fit(model: nn.Module, draw: Draw, steps: int, rate: float, seed: int, warmup: float = 0.1) -> Fitted:
    """AdamW (decay 0.1 of matrices), a rate that rises in the first `warmup` and falls to 0, gradients clipped to 1.

    Batches are drawn with `seed`, in the same order for every model.
    """
    generator = Generator().manual_seed(seed)
    matrices = [each for each in model.parameters() if each.ndim >= 2]
    others = [each for each in model.parameters() if each.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98))
    rates = schedule(optimizer, steps, warmup)
    model.train()
    losses: list[tuple[int, float]] = []
    recent: list[float] = []
    began = time.monotonic()
    for step in range(1, steps + 1):
        loss = loss_of(model, *draw(generator))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rates.step()
        recent.append(float(loss.detach()))
        if step * 10 // steps > (step - 1) * 10 // steps:
            losses.append((step, sum(recent) / len(recent)))
            recent = []
    model.eval()
    return Fitted(losses, time.monotonic() - began)


def schedule(optimizer: Any, steps: int, warmup: float = 0.1) -> torch.optim.lr_scheduler.LambdaLR:
    """The rate rises in the first `warmup` of the steps and then falls to 0."""
    rise = max(round(warmup * steps), 1)
    return torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / rise, (steps - step) / max(steps - rise, 1))
    )


def loss_of(model: nn.Module, ids: Tensor, targets: Tensor) -> Tensor:
    """Mean nats an asked place; scores are made where they are asked for, alone."""
    asked = targets != UNASKED
    states = model.states(model.embed(ids))  # type: ignore[operator]
    return cross_entropy(model.out(states[asked]), targets[asked])  # type: ignore[operator]


@torch.no_grad()
def accuracy(model: nn.Module, draw: Draw, batches: int, seed: int) -> float:
    """The share of asked places with the right symbol before all others."""
    generator, right, asked = Generator().manual_seed(seed), 0, 0
    for _ in range(batches):
        ids, targets = draw(generator)
        places = targets != UNASKED
        guess = model(ids)[places].argmax(-1)
        right, asked = right + int((guess == targets[places]).sum()), asked + int(places.sum())
    return right / asked
