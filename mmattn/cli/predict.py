"""`mmattn predict`: what a run says of new files, many in one pass."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmattn.cli.use import load_task
from mmattn.data.batches import InOrder
from mmattn.data.dataset import pieces
from mmattn.errors import BadSample, ConfigError, MmattnError, TooLong
from mmattn.run import Run
from mmattn.tokenizer import Prepared, Tokenizer

POOL = 16
"""Batches' worth of samples that are held at once, so that those of like length share a batch."""


@dataclass(frozen=True)
class Asked:
    """A new sample in the pieces that the model takes, or the `error` in it."""

    name: str
    pieces: Sequence[Prepared] = ()
    error: str | None = None


@torch.no_grad()
def predict(folder: str, files: Sequence[str], config_dir: str | None = None) -> list[dict[str, Any]]:
    """For each sample in the files, in their order: its name, and labels with probabilities, a text, or the `error`.

    Samples go through the model in batches of the run's `loader.batch_size`.
    """
    task = load_task(folder, config_dir)
    if getattr(task, "draws", False):
        raise ConfigError(f"{folder} makes pictures: mmattn generate {folder} draws a prompt, or a --prompt-file.")
    if not hasattr(task, "predicted"):
        raise ConfigError(f"{folder} says nothing of a sample; `mmattn generate` is for language models.")
    size = Run.open(folder).config.loader.batch_size
    samples = (each for file in files for each in _asked(task.reads, file))
    found: list[dict[str, Any]] = []
    while some := list(islice(samples, POOL * size)):
        found += _predicted(task, some, size)
    return found


def _asked(tokenizer: Tokenizer, file: str) -> Iterator[Asked]:
    """The samples of a file; those that cannot be used stop nothing."""
    try:
        if not Path(file).is_file():
            raise BadSample(file, "there is no such file")
        samples = tokenizer.read(Path(file))
    except BadSample as error:
        yield Asked(error.name, error=error.fault)
        return
    for sample in samples:
        try:
            yield Asked(sample.name, pieces(tokenizer, sample.name, tokenizer.prepare(sample)))
        except BadSample as error:
            yield Asked(error.name, error=error.fault)


def _predicted(task: Any, samples: Sequence[Asked], size: int) -> Iterator[dict[str, Any]]:
    chances = iter(_chances(task, [piece for sample in samples for piece in sample.pieces], size))
    for sample in samples:
        own = [next(chances) for _ in sample.pieces]
        errors = [each for each in (sample.error, *own) if isinstance(each, str)]
        if errors:
            yield {"name": sample.name, "error": errors[0]}
        else:
            yield {"name": sample.name, **task.predicted(sample.pieces, own)}


def _chances(task: Any, prepared: Sequence[Prepared], size: int) -> list[Tensor | str]:
    """What the task says of each, in their order, or why it cannot; those of like length share a batch."""
    found: dict[int, Tensor | str] = {}
    for places in InOrder([task.reads.length(each) for each in prepared], size):
        found |= _of_batch(task, {index: prepared[index] for _, index in places})
    return [found[index] for index in range(len(prepared))]


def _of_batch(task: Any, some: dict[int, Prepared]) -> dict[int, Tensor | str]:
    """Of samples that are read together; of halves of them where the model has no room for one, to tell which it is."""
    try:
        return dict(zip(some, task.said(task.reads.collate(list(some.values()))), strict=True))
    except TooLong as error:
        if len(some) == 1:
            return dict.fromkeys(some, str(error))
    indices = list(some)
    halves = indices[: len(some) // 2], indices[len(some) // 2 :]
    first, second = (_of_batch(task, {index: some[index] for index in half}) for half in halves)
    return first | second


def show_predictions(predictions: Sequence[dict[str, Any]], as_json: bool) -> None:
    """One line a sample, or json. Raises `MmattnError` at the end where there are errors among them."""
    if as_json:
        print(json.dumps(predictions, indent=1))
    good = [each for each in predictions if "error" not in each]
    for each in [] if as_json else good:
        print(f"{each['name']}: {_said(each)}")
    faults = [f"{each['name']}: {each['error']}" for each in predictions if "error" in each]
    if faults:
        sys.stdout.flush()
        raise MmattnError(f"{len(faults)} of {len(predictions)} could not be predicted:\n  " + "\n  ".join(faults))


def _said(prediction: dict[str, Any]) -> str:
    if "text" in prediction:
        return str(prediction["text"])
    if "tokens" in prediction:
        runs = groupby(prediction["tokens"], lambda token: token["label"])
        return " ".join(f"{''.join(token['token'] for token in run)}/{label}" for label, run in runs)
    likeliest = sorted(prediction["probabilities"].items(), key=lambda item: -item[1])
    shown = likeliest[: max(3, len(prediction.get("labels", ())))]
    return ", ".join(f"{label} {chance:.1%}" for label, chance in shown)
