"""Many runs from one command line: what they were and how they compare."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import OmegaConf

from mmattn.cli.tables import aligned
from mmattn.compare.findings import mean_and_deviation


@dataclass(frozen=True)
class Swept:
    """A run of a sweep: its folder's name, its overrides, its metrics by split and name (None where it failed)."""

    name: str
    overrides: tuple[str, ...]
    metrics: Mapping[str, float] | None


def swept(folder: Path) -> list[Swept]:
    """The runs below a sweep's folder, in order; read from disk, so that any launcher may have made them."""
    found = []
    for path in folder.rglob(".hydra/overrides.yaml"):
        run = path.parent.parent
        overrides = tuple(str(word) for word in OmegaConf.load(path))
        results = run / "results.json"
        read = json.loads(results.read_text(encoding="utf-8")) if results.is_file() else None
        split = "test" if read and "test" in read else "validation"
        metrics = None if read is None else {f"{split} {name}": value for name, value in read[split].items()}
        found.append(Swept(str(run.relative_to(folder)), overrides, metrics))
    return sorted(found, key=lambda run: (len(run.name), run.name))


def summary(runs: Sequence[Swept]) -> str:
    """A line a run, then the mean and standard deviation of those that differ in nothing but the seed."""
    shared = set.intersection(*(set(run.overrides) for run in runs))
    names = sorted({name for run in runs for name in run.metrics or ()})
    rows = [["run", "with", *names]]
    for run in runs:
        values = ["failed"] if run.metrics is None else [_shown(run.metrics.get(name)) for name in names]
        rows.append([run.name, _words(run.overrides, shared), *values])
    groups: dict[tuple[str, ...], list[Mapping[str, float]]] = {}
    for run in runs:
        if run.metrics is not None:
            key = tuple(word for word in run.overrides if not word.startswith("seed="))
            groups.setdefault(key, []).append(run.metrics)
    for key, found in groups.items():
        if len(found) > 1:
            columns = [[metrics[name] for metrics in found if name in metrics] for name in names]
            rows.append([f"{len(found)} seeds", _words(key, shared), *map(_spread, columns)])
    return aligned(rows)


def _words(overrides: Sequence[str], shared: set[str]) -> str:
    return " ".join(word for word in overrides if word not in shared) or "all"


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _spread(values: Sequence[float]) -> str:
    return mean_and_deviation(values, "{:.4f}") if len(values) > 1 else ""
