"""Flow matching (https://arxiv.org/abs/2210.02747): the straight way from noise (time 0) to data (time 1).

At time t a sample stands at xₜ = t · data + (1 − t) · noise, and moves with the velocity data − noise. A guess of the
data from xₜ means the velocity (guess − xₜ) / (1 − t), a guess of the velocity the data xₜ + (1 − t) · guess.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

NEAREST = 0.05  # 1 − t is taken as at least this, where it divides

Guess = Callable[[Tensor, Tensor], Tensor]
"""(xₜ (batch, length, values), t (batch,)) → the guessed data."""


def random_times(
    count: int, *, mean: float, deviation: float, early: float, generator: torch.Generator | None, device: torch.device
) -> Tensor:
    """(count,) in (0, 1): logit-normal (https://arxiv.org/abs/2403.03206), but a share `early` lies in [0, 0.12].

    Near pure noise the model cannot see what is drawn where, and has to learn it from the condition.
    """
    options: dict[str, Any] = {"generator": generator, "device": device}
    times = torch.sigmoid(torch.randn(count, **options) * deviation + mean)
    drawn = torch.rand(count, **options)
    return torch.where(torch.rand(count, **options) < early, drawn * 0.12, times)


def between(data: Tensor, noise: Tensor, time: Tensor) -> Tensor:
    """xₜ of data and noise (batch, length, values) at time (batch,)."""
    time = time[:, None, None]
    return time * data + (1 - time) * noise


def velocity_weight(time: Tensor) -> Tensor:
    """By what the squared error of a guess is multiplied to be that of the velocity (batch,)."""
    return (1 - time).clamp(min=NEAREST) ** -2


def time_grid(steps: int, shift: float) -> Tensor:
    """(steps + 1,) from 0 to 1; a shift above 1 walks slower near the noise (https://arxiv.org/abs/2403.03206)."""
    even = torch.linspace(0, 1, steps + 1)
    return even / (even + shift * (1 - even))


def euler(guess: Guess, x: Tensor, times: Tensor) -> Tensor:
    """Walk from noise x along the velocities at the beginning of each step."""
    for now, then in zip(times[:-1], times[1:], strict=True):
        x = x + (then - now) * _velocity(guess, x, now)
    return x


def heun(guess: Guess, x: Tensor, times: Tensor) -> Tensor:
    """As `euler`, with the mean of the velocities at both ends of a step; the last step has but its beginning."""
    for now, then in zip(times[:-1], times[1:], strict=True):
        first = _velocity(guess, x, now)
        tried = x + (then - now) * first
        x = tried if then == 1 else x + (then - now) * (first + _velocity(guess, tried, then)) / 2
    return x


def _velocity(guess: Guess, x: Tensor, time: Tensor) -> Tensor:
    return (guess(x, time.expand(len(x))) - x) / (1 - time).clamp(min=1e-3)


SAMPLERS = {"euler": euler, "heun": heun}

PREDICTIONS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "data": lambda out, x, time: out,
    "velocity": lambda out, x, time: x + (1 - time)[:, None, None] * out,
}
"""What a model puts out (batch, length, values), xₜ and t (batch,) → the data that it guesses by that."""
