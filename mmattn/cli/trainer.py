"""Lightning trainers from a config: one that trains, one that measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import lightning
from lightning.pytorch.callbacks import ModelCheckpoint
from omegaconf import DictConfig, OmegaConf

from mmattn.build import Built, check_keys, make, parameters
from mmattn.cli.counting import Books, EpochSeed
from mmattn.cli.loggers import loggers
from mmattn.cli.memory import enough_memory
from mmattn.cli.progress import display
from mmattn.errors import ConfigError, nearest
from mmattn.limits import whole
from mmattn.run import Run


def training_trainer(config: DictConfig, run: Run, task: Any, books: Books) -> lightning.Trainer:
    """Keeps the best and the last weights of `run`, and shows progress; the config's own callbacks come besides.

    Raises `ConfigError` for settings that Lightning does not take.
    """
    settings: dict[str, Any] = OmegaConf.to_container(config.trainer, resolve=True)  # type: ignore[assignment]
    settings.pop("_target_")
    check_keys("trainer", "Trainer", settings, parameters(lightning.Trainer))
    _check(settings)
    kept: dict[str, Any] = {"dirpath": run.checkpoints, "enable_version_counter": False}
    callbacks = [EpochSeed(config.seed), books]
    validates = settings.get("limit_val_batches") != 0
    if validates:
        callbacks.append(ModelCheckpoint(filename="best", monitor=task.monitor, mode=task.mode, **kept))
    callbacks.append(ModelCheckpoint(filename="last", monitor=None, save_on_train_epoch_end=True, **kept))
    callbacks += [display()] if settings.pop("enable_progress_bar", True) else []
    known = {name for name in task.measured | books.measured if validates or not name.startswith("validation/")}
    own = {f"callbacks.{name}": make(config, f"callbacks.{name}") for name in config.callbacks or ()}
    _check_monitors({**own, "task": task} if validates else own, known)
    callbacks += own.values()
    fixed: dict[str, Any] = {"enable_model_summary": False, "enable_progress_bar": False}
    given = {"callbacks": callbacks, "logger": loggers(config, run), "default_root_dir": run.folder}
    return _made(settings | fixed | given)


def _check(settings: Mapping[str, Any]) -> None:
    """Raise `ConfigError` for settings with which nothing would be trained, or kept."""
    if settings.get("fast_dev_run"):
        raise ConfigError(
            "trainer.fast_dev_run keeps no weights; for a short trial set trainer.max_epochs=1 "
            "+trainer.limit_train_batches=1 +trainer.limit_val_batches=1."
        )
    if settings.get("overfit_batches"):
        raise ConfigError(
            "trainer.overfit_batches puts an order of its own in place of the batches; give the data fewer samples, "
            "or set +trainer.limit_train_batches."
        )
    if settings.get("limit_test_batches") not in (None, 0) and not _all(settings["limit_test_batches"]):
        raise ConfigError(
            f"trainer.limit_test_batches={settings['limit_test_batches']}: a test is measured whole; 0 leaves it out, "
            "and data=part gives fewer samples."
        )
    for key in ("max_epochs", "max_steps", "check_val_every_n_epoch", "log_every_n_steps"):
        if settings.get(key) is not None:
            whole(f"trainer.{key}", settings[key], -1)
    for key in ("max_epochs", "max_steps", "limit_train_batches"):
        if settings.get(key) == 0:
            raise ConfigError(f"trainer.{key}=0 trains nothing: set it to more.")
    every, epochs = settings.get("check_val_every_n_epoch") or 1, settings.get("max_epochs") or -1
    if 0 < epochs < every:
        raise ConfigError(
            f"trainer.check_val_every_n_epoch={every} with trainer.max_epochs={epochs} never validates; set "
            f"trainer.check_val_every_n_epoch={epochs} or less, or +trainer.limit_val_batches=0 if that is meant."
        )


def _all(limit: Any) -> bool:
    """Of Lightning's limits, a float is a share and a whole number a count."""
    return isinstance(limit, float) and limit == 1


def _check_monitors(parts: Mapping[str, Any], known: Set[str]) -> None:
    """Raise `ConfigError` for a part that waits for what is never measured."""
    for key, part in parts.items():
        monitor = getattr(part, "monitor", None)
        if isinstance(monitor, str) and monitor not in known:
            hint = f"{nearest(monitor, known)} Measured are {', '.join(sorted(known))}."
            raise ConfigError(f"{key}.monitor={monitor} is never measured.{hint}")


def measure(
    built: Built, config: DictConfig, splits: Sequence[str], *watching: lightning.Callback
) -> dict[str, dict[str, float]]:
    """Metrics of the weights as they are, on each of these splits that the data has, at the precision of training.

    Without the training's callbacks: one that averages weights would put its own in place of these.
    """
    settings = {key: config.trainer[key] for key in ("accelerator", "devices", "precision") if key in config.trainer}
    off = ("logger", "enable_checkpointing", "enable_model_summary", "enable_progress_bar")
    trainer = _made(settings | dict.fromkeys(off, False) | {"callbacks": [*watching]})
    results: dict[str, dict[str, float]] = {}
    for split in splits:
        if split in built.data.splits:
            run = trainer.validate if split == "validation" else trainer.test
            with enough_memory("measuring", "lower loader.evaluation_batch_size"):
                values = run(built.task, built.data.loader(split), verbose=False)[0]  # type: ignore[arg-type]
            results[split] = {name.split("/", 1)[1]: float(value) for name, value in values.items()}
    return results


def _made(settings: dict[str, Any]) -> lightning.Trainer:
    try:
        return lightning.Trainer(**settings)
    except (
        TypeError,
        ValueError,
        RuntimeError,
        lightning.fabric.utilities.exceptions.MisconfigurationException,
    ) as error:
        raise ConfigError(f"trainer: {' '.join(str(error).split())}") from error
