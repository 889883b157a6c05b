"""Train what a config describes, evaluate it, and leave a run folder."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import lightning
import torch
from omegaconf import DictConfig, OmegaConf

from mmattn.build import Built, build
from mmattn.cli.counting import Books
from mmattn.cli.estimate import Estimate, estimate
from mmattn.cli.fit import fit
from mmattn.cli.quiet import quiet
from mmattn.cli.same_data import check_same_data, described
from mmattn.cli.say import announce, conclude
from mmattn.cli.trainer import measure, training_trainer
from mmattn.composition.user_folder import bring
from mmattn.errors import ConfigError, RunError
from mmattn.report.predictions import Watch
from mmattn.report.write import write_report
from mmattn.run import Run, load_weights
from mmattn.trust import check_targets


@dataclass(frozen=True)
class Ready:
    """A training before its first step; nothing is in its folder yet, unless it is resumed."""

    run: Run
    config: DictConfig
    built: Built
    trainer: lightning.Trainer
    books: Books
    cost: Estimate
    started: float


def train(config: DictConfig, folder: Path | None = None, about: Mapping[str, str] | None = None) -> Run:
    """A new run in `folder` (by default `run.dir`, or a dated one).

    `about` may hold the `command` and the experiment's `claim`, for the report and whoever repeats the run.
    """
    quiet()
    started = time.monotonic()
    lightning.seed_everything(config.seed, verbose=False)
    states = inherited(config)
    built = prepared(config, states.pop("tokenizer", None), states)
    if config.init_from:
        start_from(built.task, config)
    ready = _ready(Run(folder or Run.reserve(config)), config, built, started)
    run = Run.create(config, ready.run.folder)
    state = {"tokenizer": dict(built.tokenizer.state()), "classes": built.data.source.classes}
    run.write_origin({**state, "monitor": built.task.monitor}, about or {})
    run.write("split.json", described(built.data))
    return _complete(ready)


def resume(folder: str, config_dir: str | None = None, other_data: bool = False) -> Run:
    """Go on with a run from its last whole epoch.

    Raises `RunError` where there is none, and where the data are others than before, unless `other_data` allows it.
    """
    quiet()
    started = time.monotonic()
    run = Run.open(folder)
    config = run.config
    check_targets(config, bring(config_dir)[1])
    last = run.checkpoints / "last.ckpt"
    if not last.is_file():
        raise RunError(f"{run.folder} has no checkpoints/last.ckpt to go on from; start it anew.")
    lightning.seed_everything(config.seed, verbose=False)
    built = prepared(config, run.state()["tokenizer"])
    if not other_data:
        check_same_data(run, built.data, list(built.data.splits))
    load_weights(built.task, run.weights("last"), str(last))  # says clearly what does not fit
    built.data.first_epoch = torch.load(last, map_location="cpu", weights_only=True)["epoch"] + 1
    return _complete(_ready(run, config, built, started), last)


def prepared(config: DictConfig, state: Any = None, parts: Mapping[str, Any] | None = None) -> Built:
    """What `build` makes, with every sample looked at: a bad one is found before the first step."""
    built = build(config, state, parts)
    for split in built.data.splits:
        built.data.dataset(split)
    return built


def inherited(config: DictConfig) -> dict[str, Any]:
    """States in the run `init_from` of the tokenizer, or of parts of it, that `init_parts` names (dotted): weights that
    are taken over belong to them. Raises `ConfigError` where it and this config have another tokenizer there."""
    states = {}
    for part in config.init_parts if config.init_from else ():
        path = part.split(".")
        if path[0] != "tokenizer":
            continue
        origin = Run.open(config.init_from)
        theirs, ours = (OmegaConf.select(each, f"{part}._target_") for each in (origin.config, config))
        if theirs is None or theirs != ours:
            raise ConfigError(
                f"The {part} of {config.init_from} is {theirs} and this one is {ours}; set init_parts=[backbone], or "
                "choose the same tokenizer."
            )
        names = [name for name in path[1:] if name != "parts"]
        states[part] = reduce(getitem, names, origin.state()["tokenizer"])
    return states


def start_from(task: Any, config: DictConfig) -> None:
    """Copy the parts `init_parts` (dotted names) of another run's weights into the task.

    Raises `RunError` for what does not fit.
    """
    weights = Run.open(config.init_from).weights("best")
    for part in config.init_parts:
        chosen = {key[len(part) + 1 :]: value for key, value in weights.items() if key.startswith(f"{part}.")}
        try:
            module = task.get_submodule(part)
        except AttributeError:
            module = None
        if not chosen or module is None:
            known = ", ".join(name for name, _ in task.named_children() if name != "metrics")
            raise ConfigError(f"init_parts names '{part}', which is no part of both; known here: {known}.")
        load_weights(module, chosen, f"{config.init_from} ({part})")


def _ready(run: Run, config: DictConfig, built: Built, started: float) -> Ready:
    books = Books()
    trainer = training_trainer(config, run, built.task, books)
    return Ready(run, config, built, trainer, books, estimate(built, trainer, built.data.first_epoch), started)


def _complete(ready: Ready, last: Path | None = None) -> Run:
    """Fit from the start or from the checkpoint `last`, measure the best weights, and write what came out."""
    run, config, built, trainer, books = ready.run, ready.config, ready.built, ready.trainer, ready.books
    announce(built, run, config, trainer, ready.cost)
    fit(trainer, built, run, last)
    fitted = books.seconds
    validated = run.settle_best()
    load_weights(built.task, run.weights("best"), str(run.folder))
    tested = config.trainer.get("limit_test_batches") != 0
    watch = Watch()
    results: dict[str, Any] = {
        **measure(built, config, ("test", "validation") if tested else ("validation",), watch),
        "seconds": round(time.monotonic() - ready.started + books.earlier, 1),
        "train_seconds": round(fitted, 1),
        "steps": trainer.global_step,
        "tokens": built.task.tokens_seen,
        "parameters": sum(p.numel() for p in built.task.parameters()),
        "seed": config.seed,
        "skipped": sum(len(built.data.dataset(split).skipped) for split in built.data.splits),
    }
    try:
        write_report(run, config, built, results, watch.found)
    except Exception as error:  # hours of training are worth more than their report
        print(f"mmattn: report.html could not be made: {type(error).__name__}: {error}", file=sys.stderr)
    run.write("results.json", results)
    conclude(built, run, results, validated)
    return run
