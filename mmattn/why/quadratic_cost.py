"""What attention costs against the length, and what sparse patterns, sums and states cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from mmattn.benchmarks.mixing import MIXERS, grown, rival
from mmattn.benchmarks.scale import exponent
from mmattn.compare import Claim, Findings, Kept, Table, at_least, at_most
from mmattn.errors import ConfigError, nearest
from mmattn.limits import counts, wholes
from mmattn.report.plot import Curve, plot

FULL, REFERENCE, PRUNED = (
    "attention",
    "attention_reference",
    ("window_256", "window_256_global", "linear_attention", "mamba2"),
)

Found = Mapping[str, Sequence[Mapping[str, float]]]
"""By mixer: `length`, `seconds` and `peak_bytes` of each length."""


class QuadraticCost:
    """Seconds and peak memory of forward and backward of one layer (width 256), each in a process of its own.

    Args:
        mixers: names of `mmattn.benchmarks.mixing.MIXERS`.
        lengths: tokens of the one document.
        most: by mixer, the longest length that is measured: beyond it memory or patience ends.
        fit_from: exponents are fitted over lengths from here on: at small ones, calls cost more than arithmetic.
        threads: of each process.
    """

    def __init__(
        self,
        mixers: Sequence[str],
        lengths: Sequence[int],
        most: Mapping[str, int],
        fit_from: int = 4096,
        threads: int = 2,
        turns: int = 3,
    ) -> None:
        for name in (*mixers, *most):
            if name not in MIXERS:
                raise ConfigError(f"comparison.mixers names '{name}'.{nearest(name, MIXERS)}")
        counts("comparison", turns=turns, threads=threads, fit_from=fit_from)
        counts("comparison.most", **most)
        self.lengths = wholes("comparison.lengths", lengths, 1, 2)
        if sum(length >= fit_from for length in lengths) < 2:
            raise ConfigError(f"comparison.lengths has fewer than two lengths from fit_from={fit_from} on.")
        self.mixers, self.most = tuple(mixers), dict(most)
        self.fit_from, self.threads, self.turns = fit_from, threads, turns

    def measure(self, kept: Kept) -> Findings:
        found = {
            name: [self._point(kept, name, each) for each in self.lengths if each <= self.most.get(name, each)]
            for name in self.mixers
        }
        exponents = {name: self._exponents(points) for name, points in found.items()}
        pictures = {
            kind: plot(
                [Curve(name, [(p["length"], p[key] / unit) for p in points]) for name, points in found.items()],
                "tokens", label, "xy",
            )
            for kind, key, unit, label in (
                ("time", "seconds", 1, "seconds, forward and backward"),
                ("memory", "peak_bytes", 1e6, "peak memory in MB"),
            )
        }  # fmt: skip
        return Findings(self._claims(found, exponents), self._tables(found, exponents), pictures, self._notes(found))

    def _point(self, kept: Kept, name: str, length: int) -> dict[str, float]:
        turns = self.turns if length <= 8192 else 1

        def measured() -> dict[str, float]:
            point = grown(name, length, turns, self.threads)
            return {"length": length, "seconds": point.seconds, "peak_bytes": point.peak_bytes}

        return kept(f"{name}/{length}", measured)

    def _exponents(self, points: Sequence[Mapping[str, float]]) -> tuple[float, float]:
        """Of time and of memory; NaN where fewer than two lengths are long enough."""
        long = [point for point in points if point["length"] >= self.fit_from]
        if len(long) < 2:
            return math.nan, math.nan
        lengths = [point["length"] for point in long]
        time, memory = ([point[key] for point in long] for key in ("seconds", "peak_bytes"))
        return exponent(lengths, time), exponent(lengths, memory)

    def _claims(self, found: Found, exponents: Mapping[str, tuple[float, float]]) -> list[Claim]:
        time, memory = ({name: each[place] for name, each in exponents.items()} for place in (0, 1))
        said = "{} of {} grows with exponent"
        claims = [
            at_least(said.format("Time", FULL), time.get(FULL, math.nan), 1.7, "{:.2f}"),
            at_most(said.format("Memory", FULL), memory.get(FULL, math.nan), 1.15, "{:.2f}"),
            at_least(said.format("Memory", REFERENCE), memory.get(REFERENCE, math.nan), 1.8, "{:.2f}"),
        ]
        for name in (name for name in PRUNED if name in found):
            claims.append(at_most(said.format("Time", name), time[name], 1.15, "{:.2f}"))
            claims.append(at_most(said.format("Memory", name), memory[name], 1.15, "{:.2f}"))
            if rival(name) in found:
                crossing = self.crossing(found, name)
                shown = "nowhere" if crossing is None else f"from {crossing:,} tokens on"
                claims.append(Claim(f"{name} is faster than {rival(name)}", shown, "somewhere", crossing is not None))
        return [claim for claim in claims if claim.measured != "nan"]

    @staticmethod
    def crossing(found: Found, name: str) -> int | None:
        """The least length from which on `name` is faster than its `rival`, at all lengths that both have."""
        full = {point["length"]: point["seconds"] for point in found[rival(name)]}
        both = [point for point in found[name] if point["length"] in full]
        slower = [point["length"] for point in both if point["seconds"] >= full[point["length"]]]
        faster = [point["length"] for point in both if point["length"] > max(slower, default=0)]
        return int(min(faster)) if faster else None

    def _tables(self, found: Found, exponents: Mapping[str, tuple[float, float]]) -> dict[str, Table]:
        heads = ["mixer", *(f"{length:,}" for length in self.lengths), f"exponent from {self.fit_from:,}"]
        tables = {}
        for place, (title, key, unit) in enumerate(
            (("Seconds", "seconds", 1.0), ("Peak memory in MB", "peak_bytes", 1e6))
        ):
            rows = []
            for name, points in found.items():
                by = {point["length"]: f"{point[key] / unit:.3g}" for point in points}
                value = exponents[name][place]
                last = "" if math.isnan(value) else f"{value:.2f}"
                rows.append([name, *(by.get(length, "") for length in self.lengths), last])
            tables[title] = Table(heads, rows)
        compared = [name for name in found if name != rival(name) and rival(name) in found]
        crossings = {name: self.crossing(found, name) for name in compared}
        shown = [[name, rival(name), "never" if each is None else f"{each:,}"] for name, each in crossings.items()]
        heads = ["mixer", "against", "tokens"]
        return tables | {"Faster than fused attention to all tokens from so many tokens on": Table(heads, shown)}

    def _notes(self, found: Found) -> list[str]:
        left = [
            f"{name} beyond {self.most[name]:,}" for name in found if self.most.get(name, math.inf) < self.lengths[-1]
        ]
        return [f"Not measured, for memory or time: {', '.join(left)}."] if left else []
