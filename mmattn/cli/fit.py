"""The fit itself, and what a user reads when it ends before its time."""

from __future__ import annotations

from pathlib import Path

import lightning
import torch

from mmattn.build import Built
from mmattn.errors import RunError, TrainingError
from mmattn.run import Run


def fit(trainer: lightning.Trainer, built: Built, run: Run, last: Path | None) -> None:
    """`trainer.fit`, from a checkpoint if one is given. Raises `TrainingError` or `RunError` with the way on."""
    try:
        trainer.fit(built.task, built.data, ckpt_path=last, weights_only=True if last else None)
    except (SystemExit, KeyboardInterrupt) as stopped:  # Lightning ends with SystemExit after Ctrl-C
        raise KeyboardInterrupt(f"Stopped. {way_on(run)}") from stopped
    except TrainingError as error:
        raise TrainingError(f"{error} {way_on(run)}") from error
    except torch.OutOfMemoryError as error:
        raise TrainingError(f"Out of memory: lower loader.batch_size or backbone.dim. {way_on(run)}") from error
    except OSError as error:
        raise RunError(f"The run folder {run.folder} cannot be written ({error}). {way_on(run)}") from error


def way_on(run: Run) -> str:
    """How to go on with a run that stopped."""
    if (run.checkpoints / "last.ckpt").is_file():
        return f"Go on from the last whole epoch: mmattn train --resume {run.folder}"
    return f"No epoch was finished, so there is nothing to resume; what there is lies in {run.folder}."
