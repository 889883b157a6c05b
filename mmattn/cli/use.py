"""Verbs that use a finished run: evaluate, predict, generate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import torch

from mmattn.build import build, build_task, check_targets, make
from mmattn.cli.train import measure, quiet
from mmattn.errors import BadSample, ConfigError
from mmattn.run import Run, load_weights


def evaluate(folder: str, split: str = "test") -> dict[str, float]:
    """Metrics of a run's best weights on a split of its own data."""
    run = Run.open(folder)
    config = run.config
    check_targets(config)
    lightning.seed_everything(config.seed, verbose=False)
    built = build(config, run.state()["tokenizer"])
    load_weights(built.task, run.weights(), folder)
    if split not in built.data.splits:
        raise ConfigError(f"The data of {folder} has no {split} split; it has {', '.join(built.data.splits)}.")
    quiet()
    trainer = lightning.Trainer(
        logger=False, enable_checkpointing=False, enable_model_summary=False, enable_progress_bar=False
    )
    return measure(trainer, built, [split])[split]


def load_task(folder: str) -> Any:
    """The task of a run with its best weights, in evaluation mode; its data is not needed."""
    run = Run.open(folder)
    config, state = run.config, run.state()
    check_targets(config)
    tokenizer = make(config, "tokenizer")
    tokenizer.restore_state(state["tokenizer"])
    task = build_task(config, tokenizer, state["classes"])
    load_weights(task, run.weights(), folder)
    return task.eval()


@torch.no_grad()
def predict(folder: str, files: Sequence[str]) -> list[dict[str, Any]]:
    """For each sample in the files: its name, the likeliest label, and the probability of every label."""
    task = load_task(folder)
    if task.classes is None or not hasattr(task, "forward") or task.monitor != "validation/accuracy":
        raise ConfigError(f"{folder} is no classifier; `mmattn generate` is for language models.")
    found = []
    for file in files:
        if not Path(file).is_file():
            raise BadSample(file, "there is no such file")
        for sample in task.tokenizer.read(Path(file)):
            prepared = task.tokenizer.prepare(sample)
            task.tokenizer.check_length(sample.name, prepared)
            chances = task(task.tokenizer.collate([prepared]))[0].softmax(-1).tolist()
            labels = dict(zip(task.classes, chances, strict=True))
            found.append({"name": sample.name, "label": max(labels, key=labels.__getitem__), "probabilities": labels})
    return found


def generate(folder: str, prompt: str, count: int, temperature: float, seed: int) -> str:
    """The prompt and `count` more tokens of a language model."""
    from mmattn.data.source import Sample

    task = load_task(folder)
    if not hasattr(task, "generate"):
        raise ConfigError(f"{folder} is no language model: it cannot generate.")
    ids = task.tokenizer.prepare(Sample("the prompt", prompt))["ids"].tolist()
    return task.tokenizer.restore(torch.tensor(task.generate(ids, count, temperature=temperature, seed=seed)))


def show_predictions(predictions: Sequence[dict[str, Any]], as_json: bool) -> None:
    """One line a sample, or json."""
    if as_json:
        print(json.dumps(predictions, indent=1))
        return
    for each in predictions:
        likeliest = sorted(each["probabilities"].items(), key=lambda item: -item[1])[:3]
        print(f"{each['name']}: " + ", ".join(f"{label} {chance:.1%}" for label, chance in likeliest))
