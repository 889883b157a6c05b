"""What trainings at the same budget show: tables, and curves against tokens, seconds and operations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import mean
from typing import Any, NamedTuple

from mmattn.compare.asked import ALL, Task
from mmattn.compare.findings import Claim, Findings, Table, at_most, mean_and_deviation
from mmattn.errors import ConfigError
from mmattn.report.plot import Curve, plot

SHOWN = "{:.4f}"
NOTES = (
    "GFLOP count matrix products, convolutions, attention (as if all pairs were computed) and recurrences, forward and "
    "backward, on the first batch. Seconds hold the validations.",
    "The best of a column stands between stars.",
)


class Trained(NamedTuple):
    """The runs of an experiment, by variant, a run a seed."""

    name: str
    task: Task
    runs: Mapping[str, Sequence[Mapping[str, Any]]]

    @property
    def split(self) -> str:
        """What variants are shown on: the test, where the data have one."""
        return "test" if all("test" in run for runs in self.runs.values() for run in runs) else "validation"

    @property
    def best(self) -> str:
        """The variant that is the best there, in the mean of its seeds."""
        return min(self.runs, key=lambda name: mean(self._worths(name)))

    @property
    def spread(self) -> float | None:
        """How far the seeds of a variant differ at most; None where each variant was trained once."""
        several = [self._worths(name) for name, runs in self.runs.items() if len(runs) > 1]
        return max(max(each) - min(each) for each in several) if several else None

    def ahead(self, other: str) -> float:
        """By how much the best variant is better than another, in the mean of their seeds."""
        return mean(self._worths(other)) - mean(self._worths(self.best))

    def _worths(self, name: str) -> list[float]:
        return [worth(self.task, run[self.split]) for run in self.runs[name]]


def worth(task: Task, figures: Mapping[str, float]) -> float:
    """Less is better, and what is no number is the worst. Raises `ConfigError` for a metric that was not measured."""
    if task.metric not in figures:
        raise ConfigError(f"comparison: metric={task.metric} is not measured; known: {', '.join(figures)}.")
    value = figures[task.metric] if task.less else -figures[task.metric]
    return value if math.isfinite(value) else math.inf


def findings(found: Sequence[Trained], tolerance: float) -> Findings:
    """tolerance: how far parameters may differ, as a share."""
    pictures = {name: drawn for each in found for name, drawn in _curves(each).items()}
    claims = [claim for each in found for claim in _claims(each, tolerance)]
    if len(found) > 1 and all(each.spread is not None for each in found):  # one seed would show noise
        claims.append(_several(found))
    tables = {ALL: _table(found)} | {each.name: _details(each) for each in found}
    return Findings(claims, tables, pictures, NOTES)


def _claims(trained: Trained, tolerance: float) -> list[Claim]:
    first = [runs[0] for runs in trained.runs.values()]
    far = max(abs(run["parameters"] / first[0]["parameters"] - 1) for run in first)
    tokens = sorted({run["tokens"] for run in first})
    return [
        at_most(f"{trained.name}: parameters differ by", far, tolerance, "{:.1%}"),
        Claim(
            f"{trained.name}: all saw as many tokens",
            " or ".join(map("{:,}".format, tokens)),
            "the same",
            len(tokens) == 1,
        ),
    ]


def _several(found: Sequence[Trained]) -> Claim:
    """Of equal variants noise makes another the best at each task: two must be ahead of each other by more than it."""
    holds = any(
        one.ahead(other.best) > (one.spread or 0.0) and other.ahead(one.best) > (other.spread or 0.0)
        for one, other in combinations(found, 2)
    )
    shown = ", ".join(f"{each.name} {each.best}" for each in found)
    return Claim("Different variants are the best at different tasks, by more than seeds differ", shown, "two", holds)


def _table(found: Sequence[Trained]) -> Table:
    """A row a variant, a column an experiment."""
    rows = []
    for name in found[0].runs:
        cells = [
            mean_and_deviation([run[each.split][each.task.metric] for run in each.runs[name]], SHOWN) for each in found
        ]
        best = [f"*{cell}*" if each.best == name else cell for each, cell in zip(found, cells, strict=True)]
        rows.append([name, *best])
    return Table(["", *(f"{each.name}, {each.split} {each.task.metric}" for each in found)], rows)


def _details(trained: Trained) -> Table:
    metric, rows, splits = trained.task.metric, [], sorted({trained.split, "validation"})
    for name, runs in trained.runs.items():
        shown = [mean_and_deviation([run[split][metric] for run in runs], SHOWN) for split in splits]
        first, seconds = runs[0], mean(run["train_seconds"] for run in runs)
        size = f"{first['rate']:g}", f"{first['parameters']:,}", f"{first['flops'] / 1e9:.2f}"
        rows.append([name, *shown, *size, f"{seconds:.0f} s", str(len(runs))])
    columns = "learning rate", "parameters", "GFLOP a step", "training", "seeds"
    return Table(["", *(f"{split} {metric}" for split in splits), *columns], rows)


def _curves(trained: Trained) -> dict[str, str]:
    """The training loss, three times."""
    pictures = {}
    for kind, label in (("tokens", "tokens"), ("seconds", "seconds"), ("flops", "GFLOP")):
        curves = [_curve(name, runs, kind) for name, runs in trained.runs.items()]
        pictures[f"{trained.name}_{kind}"] = plot(curves, f"{trained.name}: {label}", "training loss")
    return pictures


def _curve(name: str, runs: Sequence[Mapping[str, Any]], kind: str) -> Curve:
    first = runs[0]
    step = {
        "tokens": first["tokens"] / first["steps"],
        "seconds": mean(run["train_seconds"] for run in runs) / first["steps"],
        "flops": first["flops"] / 1e9,
    }[kind]
    places = [at * step for at, _ in first["curve"]]
    columns = list(zip(*([loss for _, loss in run["curve"]] for run in runs), strict=True))
    return Curve.of(name, zip(places, columns, strict=True))
