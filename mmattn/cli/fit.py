"""The fit itself, and what a user reads when it ends before its time."""

from __future__ import annotations

import errno
from pathlib import Path

import lightning
from lightning.fabric.utilities.exceptions import MisconfigurationException

from mmattn.build import Built
from mmattn.cli.memory import enough_memory
from mmattn.errors import BadSample, ConfigError, MmattnError, RunError, TrainingError
from mmattn.run import Run

SMALLER = (
    "lower loader.batch_size (and raise trainer.accumulate_grad_batches, which keeps a step's samples), "
    "tokenizer.max_length where it is set, or backbone.dim"
)


def fit(trainer: lightning.Trainer, built: Built, run: Run, last: Path | None) -> None:
    """`trainer.fit`, from a checkpoint if one is given. Raises `TrainingError` or `RunError` with the way on."""
    try:
        with enough_memory("training", SMALLER):
            trainer.fit(built.task, built.data, ckpt_path=last, weights_only=True if last else None)
    except (SystemExit, KeyboardInterrupt) as stopped:  # Lightning ends with SystemExit after Ctrl-C
        raise KeyboardInterrupt(f"Stopped. {way_on(run)}") from stopped
    except (TrainingError, BadSample) as error:
        kind = type(error) if isinstance(error, TrainingError) else TrainingError
        raise kind(f"{str(error).rstrip('.')}. {way_on(run)}") from error
    except MisconfigurationException as error:
        raise ConfigError(f"trainer: {' '.join(str(error).split())}") from error
    except OSError as error:
        raise _explained(error, run) from error


def _explained(error: OSError, run: Run) -> MmattnError:
    """What an error of the system is about: the run folder, or a file elsewhere."""
    name = error.filename
    inside = isinstance(name, str) and Path(name).resolve().is_relative_to(run.folder.resolve())
    if inside or (name is None and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)):
        return RunError(f"The run folder {run.folder} cannot be written ({error}). {way_on(run)}")
    if name is None:
        return TrainingError(f"{error or type(error).__name__}. {way_on(run)}")
    return TrainingError(f"{name} cannot be used ({error.strerror}). {way_on(run)}")


def way_on(run: Run) -> str:
    """How to go on with a run that stopped."""
    if (run.checkpoints / "last.ckpt").is_file():
        return f"Go on from the last whole epoch: mmattn train --resume {run.folder}"
    return f"No epoch was finished, so there is nothing to resume; what there is lies in {run.folder}."
