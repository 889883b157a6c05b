"""What a training will take, measured on its own first batches before it starts."""

from __future__ import annotations

import copy
import math
import random
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import lightning
import numpy as np
import torch

from mmattn.build import Built
from mmattn.cli.fit import SMALLER
from mmattn.cli.memory import enough_memory

MOST_STEPS, MOST_SECONDS = 6, 2.0


@dataclass(frozen=True)
class Estimate:
    """`tokens` a batch; `steps` of the whole training, None without an end; seconds a step and in all; peak bytes."""

    tokens: float
    steps: int | None
    step_seconds: float
    seconds: float | None
    memory: int


def estimate(built: Built, trainer: lightning.Trainer, epochs_done: int = 0) -> Estimate:
    """Time real steps (augment, collate, forward, backward, optimizer) of a copy of the task on the trainer's device.

    The task, its batches and the random state are left as they were. The first step, which allocates, is not counted;
    validation is taken as the forward part of as many tokens. Raises `TrainingError` where memory runs out.
    """
    data, device = built.data, trainer.strategy.root_device
    lengths = data.training.lengths(data.first_epoch)
    with _untouched(device), enough_memory("trying the first steps", SMALLER):
        task = trainer.precision_plugin.convert_module(copy.deepcopy(built.task)).to(device).train()
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        timings = list(_timed_steps(task, built, trainer, device))
    prepare, forward, rest = (statistics.median(column) for column in zip(*(timings[1:] or timings), strict=True))
    if data.workers:
        prepare = 0.0  # beside the training, in other processes
    epoch_steps = _limited(trainer.limit_train_batches, math.ceil(len(lengths) / data.batch_size))
    steps = _steps(trainer, epoch_steps, epochs_done)
    seconds = None
    if steps is not None:
        checked = sum(data.dataset("validation").lengths) / sum(lengths)
        validations = steps / epoch_steps / (trainer.check_val_every_n_epoch or 1)
        seconds = steps * (prepare + forward + rest) + validations * checked * forward * epoch_steps
    tokens = sum(lengths) / len(lengths) * min(data.batch_size, len(lengths))
    return Estimate(tokens, steps, prepare + forward + rest, seconds, _peak(device))


def _timed_steps(
    task: Any, built: Built, trainer: lightning.Trainer, device: torch.device
) -> Iterator[tuple[float, float, float]]:
    """Seconds of (preparing, forward, backward and optimizer) for each of a few steps."""
    data, optimizer = built.data, task.make_optimizer(task)
    began = time.perf_counter()
    for places in islice(data.training_batches, MOST_STEPS):
        marks = [time.perf_counter()]
        batch = task.transfer_batch_to_device(data.training.batch(places), device, 0)
        marks.append(_now(device))
        with trainer.precision_plugin.forward_context():
            loss = task.evaluate(batch).loss
        marks.append(_now(device))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        marks.append(_now(device))
        yield marks[1] - marks[0], marks[2] - marks[1], marks[3] - marks[2]
        if marks[-1] - began > MOST_SECONDS:
            return


@contextmanager
def _untouched(device: torch.device) -> Iterator[None]:
    """Restores the random state of Python, numpy and torch."""
    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        yield
    random.setstate(python)
    np.random.set_state(numpy)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def _limited(limit: int | float | None, batches: int) -> int:
    """Lightning's `limit_train_batches`: a count, or a fraction."""
    if limit is None:
        return batches
    return min(batches, limit) if isinstance(limit, int) else max(int(batches * limit), 1)


def _steps(trainer: lightning.Trainer, epoch_steps: int, epochs_done: int) -> int | None:
    """Batches that are still to be trained on."""
    counts = []
    if trainer.max_epochs is not None and trainer.max_epochs >= 0:
        counts.append(max(trainer.max_epochs - epochs_done, 0) * epoch_steps)
    if trainer.max_steps >= 0:
        counts.append(max(trainer.max_steps * trainer.accumulate_grad_batches - epochs_done * epoch_steps, 0))
    return min(counts, default=None)


def _peak(device: torch.device) -> int:
    """Peak bytes of the device's memory, or of this process with its libraries and prepared data; 0 if unknown."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource  # not on Windows
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
