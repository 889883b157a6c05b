"""Verbs that use a finished run: evaluate, predict, generate."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import lightning
import torch

from mmattn.build import build, build_task, check_targets, make
from mmattn.cli.quiet import quiet
from mmattn.cli.same_data import check_same_data
from mmattn.cli.trainer import measure
from mmattn.cli.user_folder import bring
from mmattn.data.dataset import pieces
from mmattn.data.source import Sample, Split
from mmattn.errors import BadSample, ConfigError, MmattnError
from mmattn.run import Run, load_weights


def evaluate(
    folder: str, split: Split = "test", config_dir: str | None = None, other_data: bool = False
) -> dict[str, float]:
    """Metrics of a run's best weights on a split of its own data; `config_dir` is trusted besides mmattn.

    Raises `RunError` where the split holds other samples than at the training, unless `other_data` allows it.
    """
    quiet()
    run = Run.open(folder)
    config = run.config
    check_targets(config, bring(config_dir)[1])
    lightning.seed_everything(config.seed, verbose=False)
    built = build(config, run.state()["tokenizer"])
    load_weights(built.task, run.weights(), folder)
    if split not in built.data.splits:
        raise ConfigError(f"The data of {folder} has no {split} split; it has {', '.join(built.data.splits)}.")
    if not other_data:
        check_same_data(run, built.data, [split])
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
    """For each sample in the files, in their order: its name, and labels with probabilities, a text, or the `error`."""
    task = load_task(folder, config_dir)
    if not hasattr(task, "predicted"):
        raise ConfigError(f"{folder} says nothing of a sample; `mmattn generate` is for language models.")
    return [said for file in files for said in _predicted(task, file)]


def _predicted(task: Any, file: str) -> Iterator[dict[str, Any]]:
    """What the task says of each sample of a file; an `error` for those that cannot be used, which stop nothing."""
    try:
        if not Path(file).is_file():
            raise BadSample(file, "there is no such file")
        samples = task.reads.read(Path(file))
    except BadSample as error:
        yield {"name": error.name, "error": error.fault}
        return
    for sample in samples:
        try:
            prepared = pieces(task.reads, sample.name, task.reads.prepare(sample))
            yield {"name": sample.name, **task.predicted(prepared)}
        except BadSample as error:
            yield {"name": error.name, "error": error.fault}


def generate(
    folder: str, prompt: str, count: int, temperature: float = 0.8, seed: int = 0, config_dir: str | None = None
) -> str:
    """The prompt and `count` more tokens of a language model."""
    task = load_task(folder, config_dir)
    if not hasattr(task, "generate"):
        raise ConfigError(f"{folder} is no language model: it cannot generate.")
    ids = task.tokenizer.prepare(Sample("the prompt", prompt))["ids"].tolist()
    return task.tokenizer.restore(torch.tensor(task.generate(ids, count, temperature=temperature, seed=seed)))


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
