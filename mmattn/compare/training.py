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
from contextlib import suppress
from functools import cache
from pathlib import Path
from statistics import mean
from subprocess import DEVNULL, PIPE
from tempfile import TemporaryFile
from typing import IO, Any

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
    """`mmattn words` in a process of its own: its exit status, and what it said on standard error."""
    own = {name: value for name, value in os.environ.items() if name not in TRACEBACKS}
    if sys.platform != "linux":
        command = [sys.executable, "-m", "mmattn", *words]
        child = subprocess.run(command, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, text=True, env=own)
        return child.returncode, child.stderr
    server, said = _server()
    said.seek(0)
    said.truncate()
    answer = ""
    try:
        with suppress(BrokenPipeError):  # the server has ended; then there is no answer either
            print(json.dumps([words, own, os.getcwd()]), file=server.stdin, flush=True)
            answer = server.stdout.readline()  # type: ignore[union-attr]
        status = int(answer or server.wait())
    finally:
        if not answer:
            _server.cache_clear()
            with suppress(BrokenPipeError), server:
                pass  # closes its input, with which ends what it runs, and waits
    said.seek(0)
    return status, said.read().decode(errors="replace")


@cache
def _server() -> tuple[subprocess.Popen[str], IO[bytes]]:
    """One process that runs all trainings (`mmattn.cli.serve`), and the file of its standard error.

    It stays until this process ends or stops a training. This process could not be copied itself: it has threads.
    """
    said = TemporaryFile()
    command = [sys.executable, "-c", "from mmattn.cli.serve import serve; serve()"]
    return subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=said, text=True), said


def _last_words(status: int, said: str) -> str:
    said = said.strip().removeprefix("mmattn: ")
    if status == -9:  # SIGKILL, which Windows has not
        return f"{said} It was killed, as a system does where memory ends: lower loader.batch_size.".strip()
    return said or f"it ended with status {status}."
