"""One training of a comparison: `mmattn train` in a process of its own, and what it leaves."""

from __future__ import annotations

import hashlib
import json
import os
import runpy
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
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
    status, said = _alone(["train", *words])
    if status == Diverged.status:
        return {"diverged": True}
    if status:
        raise TrainingError(f"{shlex.join(['mmattn', 'train', *words])}: {_last_words(status, said)}")
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


def _alone(words: Sequence[str]) -> tuple[int, str]:
    """`mmattn words` in a process of its own: its exit status, and what it said on standard error.

    It comes out of one that has imported all, where the system can (not Windows): imports take as long as a short
    training. That one must not be this process, whose threads of torch would not be copied.
    """
    context = get_context("forkserver" if "forkserver" in get_all_start_methods() else "spawn")
    context.set_forkserver_preload(["mmattn.cli.launch", "mmattn.cli.train"])
    own = {name: value for name, value in os.environ.items() if name not in TRACEBACKS}
    with TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        process = context.Process(target=_mmattn, args=(list(words), own, said))  # type: ignore[attr-defined]
        process.start()
        try:
            process.join()
        finally:
            process.kill()  # where this one is stopped
        return process.exitcode, said.read_text(encoding="utf-8") if said.exists() else ""


def _mmattn(words: list[str], environment: Mapping[str, str], said: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for stream, path in ((1, Path(os.devnull)), (2, said)):
        with path.open("w") as file:
            os.dup2(file.fileno(), stream)
    sys.argv[1:] = words
    runpy.run_module("mmattn", run_name="__main__")


def _last_words(status: int, said: str) -> str:
    said = said.strip().removeprefix("mmattn: ")
    if status == -9:  # SIGKILL, which Windows has not
        return f"{said} It was killed, as a system does where memory ends: lower loader.batch_size.".strip()
    return said or f"it ended with status {status}."
