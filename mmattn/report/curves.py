"""`metrics.csv` as charts against optimizer steps."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from mmattn.report.chart import Line, chart

Point = tuple[float, float]
MOST = 600
"""Points of a line: more are not seen."""


def curves(path: Path) -> str:
    """Loss; each other validation metric together; the learning rate. Empty where nothing was logged."""
    series = {name: thinned(points) for name, points in read_series(path).items()}
    losses = [
        Line("training, single batches", series.get("train/batch_loss", []), "faint"),
        Line("training, epoch mean", series.get("train/loss", []), "a"),
        Line("validation", series.get("validation/loss", []), "b"),
    ]
    names = [name for name in series if name.startswith("validation/") and name != "validation/loss"]
    metrics = [Line(name.split("/")[1], series[name], "abcd"[i % 4]) for i, name in enumerate(sorted(names))]
    rate = [Line("learning rate", series.get("train/learning_rate", []), "c")]
    charts = [
        chart(losses, "step", "loss"),
        chart(metrics, "step", "validation"),
        chart(rate, "step", "learning rate"),
    ]
    return "".join(charts)


def thinned(points: Sequence[Point]) -> Sequence[Point]:
    """Every k-th, from the first on, so that there are at most `MOST`."""
    return points[:: -(-len(points) // MOST)]


def read_series(path: Path) -> dict[str, list[Point]]:
    """Each column's (step, value) points."""
    series: dict[str, list[Point]] = {}
    if path.is_file():
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                for name, value in row.items():
                    if value and name not in ("step", "epoch"):
                        series.setdefault(name, []).append((float(row["step"]) + 1, float(value)))
    return series
