"""What a comparison finds: claims that were measured, tables and pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean, stdev
from typing import NamedTuple, Protocol

from mmattn.compare.kept import Kept


class Claim(NamedTuple):
    """A sentence, the figure that was measured, the one that it expects, and whether it holds."""

    claim: str
    measured: str
    expected: str
    holds: bool


def at_least(claim: str, value: float, least: float, shown: str = "{:.3g}") -> Claim:
    """`shown` formats both figures."""
    return Claim(claim, shown.format(value), f"≥ {shown.format(least)}", value >= least)


def at_most(claim: str, value: float, most: float, shown: str = "{:.3g}") -> Claim:
    """`shown` formats both figures."""
    return Claim(claim, shown.format(value), f"≤ {shown.format(most)}", value <= most)


def mean_and_deviation(values: Sequence[float], shown: str = "{:.3g}") -> str:
    """The mean, and of several values ± their standard deviation; both are nan where a value is none."""
    if not all(map(math.isfinite, values)):
        values = [math.nan]
    return shown.format(mean(values)) + (f" ± {shown.format(stdev(values))}" if len(values) > 1 else "")


class Table(NamedTuple):
    """A heading for each column, and rows of as many cells."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Findings:
    """Pictures are SVG files by their names; `notes` are sentences that belong below."""

    claims: Sequence[Claim]
    tables: Mapping[str, Table] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


class Comparison(Protocol):
    """What `mmattn compare` runs: its parts are measured through `kept`, so that a stopped one goes on."""

    def measure(self, kept: Kept) -> Findings:
        """Raises `ConfigError` before anything is measured where its settings do not fit."""
