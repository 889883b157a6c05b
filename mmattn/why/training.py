"""How the experiments train: the same for all that is compared."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from statistics import mean
from typing import NamedTuple, TypeVar

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from mmattn.optimizers import muon

Model = TypeVar("Model")
UNASKED = -1
"""The target of a place that is not asked for."""
Draw = Callable[[Generator], tuple[Tensor, Tensor]]
"""A batch: ids (batch, length), and targets of the same shape."""


class Fitted(NamedTuple):
    """`losses` (step, loss), a mean of each tenth; seconds of the training."""

    losses: list[tuple[int, float]]
    seconds: float


def best(rates: Sequence[float], train: Callable[[float], tuple[Model, Fitted]]) -> tuple[float, Model, Fitted]:
    """The rate with which a training ends with the least loss, its model and how it went."""

    def ended(rate: float) -> float:
        last = trained[rate][1].losses[-1][1]
        return last if math.isfinite(last) else math.inf  # nothing is less than NaN

    trained = {rate: train(rate) for rate in rates}
    rate = min(trained, key=ended)
    return rate, *trained[rate]


def fit(
    model: nn.Module,
    loss: Callable[[Generator], Tensor],
    steps: int,
    rate: float,
    seed: int,
    warmup: float = 0.1,
    other: float = 0.25,
) -> Fitted:
    """Muon on the backbone's matrices and AdamW at `other` times the rate on the rest; the rate rises in the first
    `warmup` of the steps and then falls to 0; gradients are clipped to 1.

    `loss` draws a batch with a generator that begins with `seed`: batches come in the same order for every model.
    """
    generator, rise = Generator().manual_seed(seed), max(round(warmup * steps), 1)
    optimizer = muon(model, learning_rate=rate, other_rate=other * rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / rise, (steps - step) / max(steps - rise, 1))
    )
    model.train()
    losses: list[tuple[int, float]] = []
    recent: list[float] = []
    began = time.monotonic()
    for step in range(1, steps + 1):
        now = loss(generator)
        optimizer.zero_grad()
        now.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        recent.append(float(now.detach()))
        if step * 10 // steps > (step - 1) * 10 // steps:
            losses.append((step, mean(recent)))
            recent = []
    model.eval()
    return Fitted(losses, time.monotonic() - began)


def asked(model: nn.Module, draw: Draw) -> Callable[[Generator], Tensor]:
    """The loss of a `SymbolModel` on what is drawn, for `fit`."""
    return lambda generator: loss_of(model, *draw(generator))


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
