"""`mmattn train EXPERIMENT [key=value …]`: train, evaluate, and leave a run folder."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Sequence
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import ModelCheckpoint, RichProgressBar
from lightning.pytorch.loggers import CSVLogger
from omegaconf import DictConfig, OmegaConf

from mmattn.build import Built, build
from mmattn.cli.compose import composed
from mmattn.errors import ConfigError, RunError, TrainingError
from mmattn.run import Run, load_weights


def train(words: Sequence[str], config_dir: str | None = None, resume: str | None = None) -> Run:
    """Train what the words describe, or go on with the run `resume`; returns the finished run."""
    run = Run.open(resume) if resume else None
    config = run.config if run else composed(experiment(words), config_dir)
    started = time.monotonic()
    lightning.seed_everything(config.seed, verbose=False)
    built = build(config, run.state()["tokenizer"] if run else None)
    for split in built.data.splits:
        built.data.dataset(split)  # a bad sample is found before the first step
    if config.init_from and run is None:
        start_from(built.task, config)
    if run is None:
        run = Run.create(config)
        run.write_origin(built.tokenizer.state(), built.data.source.classes)
        run.write("split.json", {split: [s.name for s in samples] for split, samples in built.data.splits.items()})
    quiet()
    _announce(built, run)
    trainer = _trainer(config, run, built.task)
    last = run.checkpoints / "last.ckpt"
    if resume and not last.is_file():
        raise RunError(f"{run.folder} has no checkpoints/last.ckpt to go on from; start it anew.")
    if resume:
        built.data.first_epoch = torch.load(last, weights_only=True)["epoch"] + 1
    try:
        trainer.fit(built.task, built.data, ckpt_path=last if resume else None, weights_only=True if resume else None)
    except SystemExit as stopped:  # how Lightning ends after Ctrl-C
        raise TrainingError(
            f"Stopped. Go on from the last whole epoch: mmattn train --resume {run.folder}"
        ) from stopped
    load_weights(built.task, run.weights("best"), str(run.folder))
    results = measure(trainer, built, ("validation", "test"))
    results |= {
        "seconds": round(time.monotonic() - started, 1),
        "steps": trainer.global_step,
        "tokens": built.task.tokens_seen,
        "parameters": sum(p.numel() for p in built.task.parameters()),
        "seed": config.seed,
        "skipped": sum(len(built.data.dataset(split).skipped) for split in built.data.splits),
    }
    run.write("results.json", results)
    _conclude(run, results)
    return run


def experiment(words: Sequence[str]) -> list[str]:
    """`image a=b` → `experiment=image a=b`."""
    if words and "=" not in words[0]:
        return [f"experiment={words[0]}", *words[1:]]
    return list(words)


def measure(trainer: lightning.Trainer, built: Built, splits: Sequence[str]) -> dict[str, Any]:
    """Metrics of each split that the data has."""
    results: dict[str, Any] = {}
    for split in splits:
        if split in built.data.splits:
            loader = built.data.loader(split)  # type: ignore[arg-type]
            run = trainer.test if split == "test" else trainer.validate
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                values = run(built.task, loader, verbose=False)[0]
            results[split] = {name.split("/", 1)[1]: float(value) for name, value in values.items()}
    return results


def start_from(task: Any, config: DictConfig) -> None:
    """Copy the parts `init_parts` of another run's weights into the task. Raises `RunError` for what does not fit."""
    weights = Run.open(config.init_from).weights("best")
    for part in config.init_parts:
        chosen = {key[len(part) + 1 :]: value for key, value in weights.items() if key.startswith(f"{part}.")}
        module = getattr(task, part, None)
        if not chosen or module is None:
            raise ConfigError(f"init_parts names '{part}', which is no part of both; known: tokenizer, backbone, head.")
        load_weights(module, chosen, f"{config.init_from} ({part})")


def _trainer(config: DictConfig, run: Run, task: Any) -> lightning.Trainer:
    settings = OmegaConf.to_container(config.trainer, resolve=True)
    assert isinstance(settings, dict)
    settings.pop("_target_")
    every, epochs = settings.get("check_val_every_n_epoch") or 1, settings.get("max_epochs") or -1
    if 0 < epochs < every:
        raise ConfigError(
            f"trainer.check_val_every_n_epoch={every} with trainer.max_epochs={epochs} never validates, so there would "
            f"be no best checkpoint; set trainer.check_val_every_n_epoch={epochs} or less."
        )
    best = ModelCheckpoint(run.checkpoints, "best", monitor=task.monitor, mode=task.mode, enable_version_counter=False)
    last = ModelCheckpoint(
        run.checkpoints, "last", monitor=None, enable_version_counter=False, save_on_train_epoch_end=True
    )
    logger = CSVLogger(run.folder, name="", version="")
    try:
        callbacks = [EpochSeed(config.seed), best, last, RichProgressBar(leave=False)]
        return lightning.Trainer(
            **settings, callbacks=callbacks, logger=logger, enable_model_summary=False, default_root_dir=run.folder
        )
    except TypeError as error:
        raise ConfigError(f"trainer: {error}") from error


class EpochSeed(lightning.Callback):
    """Seeds dropout and masking anew each epoch, so that a resumed run draws what the uninterrupted one would."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        if batch_idx == 0:  # Lightning does not announce the first epoch of a resumed run
            torch.manual_seed(hash((self.seed, trainer.current_epoch)) % 2**63)


def quiet() -> None:
    """Lightning's own advice is about code, not about a user's run."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module=r"lightning\..*")


def _announce(built: Built, run: Run) -> None:
    parameters = sum(p.numel() for p in built.task.parameters())
    counts = ", ".join(f"{len(samples):,} {split}" for split, samples in built.data.splits.items())
    lengths = built.data.dataset("train").lengths
    tokens = sum(lengths) / len(lengths) * built.data.batch_size
    print(f"{parameters:,} parameters; {counts} samples; about {tokens:,.0f} tokens a batch; run folder {run.folder}")
    for note in built.data.source.notes:
        print(note)
    for split in built.data.splits:
        for fault in built.data.dataset(split).skipped:
            print(f"skipped: {fault}")


def _conclude(run: Run, results: dict[str, Any]) -> None:
    shown = "test" if "test" in results else "validation"
    figures = ", ".join(f"{name} {value:.4f}" for name, value in results[shown].items())
    print(f"{shown}: {figures} after {results['steps']:,} steps and {results['seconds']} s")
    print(f"Results are in {run.folder}. Next: mmattn evaluate {run.folder}")
