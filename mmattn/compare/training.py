"""One training of a comparison: `mmattn train` in a process of its own, and what it leaves."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from mmattn.errors import Diverged, TrainingError
from mmattn.report.curves import read_series

BINS = 24
"""Points of a curve, at most twice as many: each the mean of as many steps."""
TRACEBACKS = ("MMATTN_TRACEBACK", "HYDRA_FULL_ERROR")
"""Variables with which an error is no message, nor has it a status of its own."""
FIGURES = ("test", "validation", "train_seconds", "steps", "tokens", "parameters", "seed")


def train(words: Sequence[str], folder: Path) -> dict[str, Any]:
    """`FIGURES` of the training in `folder`, its curve, and digests of all its samples' `names` and of their `split`;
    `{"diverged": True}` where its loss is no number. What a training that was stopped has left there is removed.

    Raises `TrainingError` with its last words where it fails.
    """
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "mmattn", "train", *words]
    own = {name: value for name, value in os.environ.items() if name not in TRACEBACKS}
    child = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=own)
    if child.returncode == Diverged.status:
        return {"diverged": True}
    if child.returncode:
        raise TrainingError(f"{shlex.join(['mmattn', 'train', *words])}: {_last_words(child)}")
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    losses = read_series(folder / "metrics.csv").get("train/batch_loss", [])
    size = max(len(losses) // BINS, 1)
    bins = [losses[at : at + size] for at in range(0, len(losses), size)]
    curve = [(each[-1][0], mean(loss for _, loss in each)) for each in bins]
    figures = {key: results[key] for key in FIGURES if key in results}
    return {**figures, "curve": curve, **_samples(folder / "split.json")}


def _samples(path: Path) -> dict[str, str]:
    text = path.read_text(encoding="utf-8")
    names = sorted(name for split, found in json.loads(text).items() if split != "digests" for name in found)
    return {
        key: hashlib.sha256(each.encode()).hexdigest()[:16] for key, each in (("names", str(names)), ("split", text))
    }


def _last_words(child: subprocess.CompletedProcess[str]) -> str:
    said = child.stderr.strip().removeprefix("mmattn: ")
    if child.returncode == -9:  # SIGKILL, which Windows has not
        return f"{said} It was killed, as a system does where memory ends: lower loader.batch_size.".strip()
    return said or f"it ended with status {child.returncode}."
