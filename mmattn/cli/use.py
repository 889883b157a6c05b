"""Verbs that use a finished run: evaluate, predict, generate."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import lightning
import torch

from mmattn.build import build, build_task, check_targets, make
from mmattn.cli.quiet import quiet
from mmattn.cli.trainer import measure
from mmattn.cli.user_folder import bring
from mmattn.data.dataset import pieces
from mmattn.errors import BadSample, ConfigError
from mmattn.run import Run, load_weights


def evaluate(folder: str, split: str = "test", config_dir: str | None = None) -> dict[str, float]:
    """Metrics of a run's best weights on a split of its own data; `config_dir` is trusted besides mmattn."""
    quiet()
    run = Run.open(folder)
    config = run.config
    check_targets(config, bring(config_dir)[1])
    lightning.seed_everything(config.seed, verbose=False)
    built = build(config, run.state()["tokenizer"])
    load_weights(built.task, run.weights(), folder)
    if split not in built.data.splits:
        raise ConfigError(f"The data of {folder} has no {split} split; it has {', '.join(built.data.splits)}.")
    return measure(built, config, [split])[split]


def load_task(folder: str, config_dir: str | None = None) -> Any:
    """The task of a run with its best weights, in evaluation mode; its data is not needed."""
    quiet()
    run = Run.open(folder)
    config, state = run.config, run.state()
    check_targets(config, bring(config_dir)[1])
    tokenizer = make(config, "tokenizer")
    tokenizer.restore_state(state["tokenizer"])
    task = build_task(config, tokenizer, state["classes"])
    load_weights(task, run.weights(), folder)
    return task.eval()


@torch.no_grad()
def predict(folder: str, files: Sequence[str], config_dir: str | None = None) -> list[dict[str, Any]]:
    """For each sample in the files: its name and what the task says of it, labels with probabilities."""
    task = load_task(folder, config_dir)
    if not hasattr(task, "predicted"):
        raise ConfigError(f"{folder} is no classifier; `mmattn generate` is for language models.")
    found = []
    for file in files:
        if not Path(file).is_file():
            raise BadSample(file, "there is no such file")
        for sample in task.tokenizer.read(Path(file)):
            parts = pieces(task.tokenizer, sample.name, task.tokenizer.prepare(sample))
            found.append({"name": sample.name, **task.predicted(parts)})
    return found


def generate(
    folder: str, prompt: str, count: int, temperature: float = 0.8, seed: int = 0, config_dir: str | None = None
) -> str:
    """The prompt and `count` more tokens of a language model."""
    from mmattn.data.source import Sample

    task = load_task(folder, config_dir)
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
        print(f"{each['name']}: {_said(each)}")


def _said(prediction: dict[str, Any]) -> str:
    if "tokens" in prediction:
        runs = groupby(prediction["tokens"], lambda token: token["label"])
        return " ".join(f"{''.join(token['token'] for token in run)}/{label}" for label, run in runs)
    likeliest = sorted(prediction["probabilities"].items(), key=lambda item: -item[1])
    shown = likeliest[: max(3, len(prediction.get("labels", ())))]
    return ", ".join(f"{label} {chance:.1%}" for label, chance in shown)
