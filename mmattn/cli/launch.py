"""`mmattn train` through Hydra: one run, a sweep (`-m`), or what Hydra prints (`--cfg`, `--info`)."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from mmattn.cli.sweep import summary, swept
from mmattn.composition.compose import checked_sweep, claim, composed
from mmattn.composition.user_folder import bring
from mmattn.composition.words import experiment, quoted
from mmattn.errors import MmattnError, RunError, TrainingError
from mmattn.run import Run


class Carried(BaseException):
    """Takes a job's error past Hydra, which would print a traceback of its own and exit."""


def launch(words: Sequence[str], flags: Sequence[str] = (), config_dir: str | None = None) -> None:
    """Train what the words describe. Raises `MmattnError`; of a sweep's runs, others go on when one fails."""
    folder, _ = bring(config_dir)
    overrides = experiment(words)
    given = [] if folder is None else ["--config-dir", str(folder)]
    if "--multirun" in flags:
        checked_sweep(overrides, config_dir)
        _sweep([*flags, *given], overrides)
    elif flags:
        composed(overrides, config_dir)
        _hydra([*flags, *given, *overrides])
    else:
        _single(given, overrides, composed(overrides, config_dir))


def job(config: DictConfig) -> float | None:
    """One run, in the folder that Hydra made; returns the metric that a sweeper optimizes."""
    from mmattn.cli.train import train

    chosen = HydraConfig.get()
    folder = Path(os.path.relpath(chosen.runtime.output_dir))
    folder = folder if ".." not in folder.parts else Path(chosen.runtime.output_dir)
    sources = [source.path for source in chosen.runtime.config_sources if source.provider == "command-line"]
    given = [bring(path) and path for path in sources]  # a launcher's own process has another import path
    sweeping = chosen.mode is RunMode.MULTIRUN
    if sweeping:
        print(f"run {chosen.job.num}: {' '.join(chosen.overrides.task)}", flush=True)
    try:
        about = {
            "command": command(chosen.overrides.task, given),
            "claim": claim(str(chosen.runtime.choices.get("experiment")), given),
        }
        run = train(config, folder, about)
    except MmattnError as error:
        if not sweeping:
            raise Carried from error
        print(f"mmattn: run {chosen.job.num} failed: {error}", file=sys.stderr)
        return None
    except Exception as error:
        raise Carried from error
    split, name = run.state()["monitor"].split("/")
    return run.read("results.json")[split][name]


def command(overrides: Sequence[str], config_dirs: Sequence[str] = ()) -> str:
    """The command line that these overrides came from."""
    kept = [word for word in overrides if not word.startswith("run.dir=")]  # a folder holds one run only
    words = [word.removeprefix("experiment=") if i == 0 else word for i, word in enumerate(kept)]
    flags = [word for path in config_dirs for word in ("--config-dir", path)]
    return shlex.join(["mmattn", "train", *words, *flags])


def _single(given: Sequence[str], overrides: Sequence[str], config: DictConfig) -> None:
    folder = Run.reserve(config)
    try:
        _hydra([*given, *overrides, f"hydra.run.dir={quoted(folder)}"])
    finally:
        if not (folder / "config.yaml").exists():  # nothing was begun
            shutil.rmtree(folder / ".hydra", ignore_errors=True)
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _sweep(flags: Sequence[str], overrides: Sequence[str]) -> None:
    chosen = dict(word.split("=", 1) for word in overrides if "=" in word)
    name = chosen.get("experiment", "sweep")
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")
    default = Path("runs") / (name if name.isidentifier() else "sweep") / stamp
    folder = Path(chosen.get("hydra.sweep.dir") or chosen.get("run.dir") or default).expanduser()
    if folder.is_dir() and any(folder.iterdir()):
        raise RunError(f"{folder} is not empty, and its files would stand among this sweep's; choose another run.dir.")
    _hydra([*flags, *overrides, f"hydra.sweep.dir={quoted(folder)}"])
    runs = swept(folder)
    print(f"\n{folder}\n{summary(runs)}")
    failed = [run.name for run in runs if run.metrics is None]
    if failed:
        raise TrainingError(f"{len(failed)} of {len(runs)} runs failed: {', '.join(failed)}.")


def _hydra(arguments: Sequence[str]) -> None:
    program = hydra.main(config_path="pkg://mmattn.conf", config_name="config", version_base="1.3")(job)
    with _as_arguments(arguments), _own_logging():
        try:
            program()
        except Carried as carried:
            assert carried.__cause__ is not None
            raise carried.__cause__ from None
        except SystemExit as ended:  # Hydra has printed why
            if ended.code:
                raise


@contextmanager
def _own_logging() -> Iterator[None]:
    """Takes back what Hydra does to the root logger: `--info` leaves it at DEBUG with a handler on today's stdout."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


@contextmanager
def _as_arguments(arguments: Sequence[str]) -> Iterator[None]:
    before = sys.argv
    sys.argv = ["mmattn", *arguments]
    try:
        yield
    finally:
        sys.argv = before
