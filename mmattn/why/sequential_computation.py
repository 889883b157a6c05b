"""Steps that must wait for one another: what recurrence costs where attention computes all tokens at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmattn.benchmarks.mixing import CHUNKED, MIXERS, grown, made
from mmattn.compare import Claim, Findings, Kept, Table, at_least, at_most
from mmattn.errors import ConfigError, nearest
from mmattn.limits import counts, wholes
from mmattn.report.plot import Curve, plot

RECURRENT = ("rnn", "gru", "lstm")
ATTENTION = "attention_causal"


class SequentialComputation:
    """Seconds of forward and backward of one layer (width 256) over always as many tokens, in ever longer rows.

    Args:
        mixers: names of `mmattn.benchmarks.mixing.MIXERS`.
        tokens: in all rows together.
        lengths: of the rows, dividing `tokens`.
        threads: numbers of threads; the speed-up is the first's time ÷ the last's.
    """

    def __init__(
        self, mixers: Sequence[str], tokens: int, lengths: Sequence[int], threads: Sequence[int], turns: int = 3
    ) -> None:
        for name in mixers:
            if name not in MIXERS:
                raise ConfigError(f"comparison.mixers names '{name}'.{nearest(name, MIXERS)}")
        counts("comparison", tokens=tokens, turns=turns)
        self.lengths = wholes("comparison.lengths", lengths, 1)
        self.threads = wholes("comparison.threads", threads, 1)
        for length in self.lengths:
            if tokens % length:
                raise ConfigError(f"comparison.lengths: rows of {length} do not make {tokens} tokens.")
        self.mixers, self.tokens, self.turns = tuple(mixers), tokens, turns

    def measure(self, kept: Kept) -> Findings:
        found = {
            name: {each: [self._seconds(kept, name, length, each) for length in self.lengths] for each in self.threads}
            for name in self.mixers
        }
        most = self.threads[-1]
        curves = [Curve(name, list(zip(self.lengths, by[most], strict=True))) for name, by in found.items()]
        picture = plot(curves, f"tokens a row, {self.tokens:,} in all", f"seconds, {most} threads", "xy")
        return Findings(self._claims(found), {"Table": self._table(found)}, {"sequential_computation": picture})

    def _seconds(self, kept: Kept, name: str, length: int, threads: int) -> float:
        rows = self.tokens // length
        return kept(f"{name}/{length}_{threads}", lambda: grown(name, length, self.turns, threads, rows).seconds)

    def _claims(self, found: Mapping[str, Mapping[int, Sequence[float]]]) -> list[Claim]:
        one, most, claims = self.threads[0], self.threads[-1], []
        short, long = self.lengths[0], self.lengths[-1]
        for name, by in found.items():
            longer, said = by[most][-1] / by[most][0], f"{name}: time in rows of {long:,} ÷ in rows of {short:,}"
            if name in RECURRENT:
                claims.append(at_least(said, longer, 2, "{:.2f}"))
            elif name in CHUNKED or name.startswith("window"):
                claims.append(at_most(said, longer, 1.5, "{:.2f}"))
        if ATTENTION in found and one != most:
            gain = {name: by[one][-1] / by[most][-1] for name, by in found.items()}
            said = f"gains less from {most} threads than {ATTENTION}, in rows of {long:,}"
            for name in (name for name in RECURRENT if name in found):
                shown = f"{gain[name]:.2f} × against {gain[ATTENTION]:.2f} ×"
                claims.append(Claim(f"{name} {said}", shown, "less", gain[name] < gain[ATTENTION]))
        return claims

    def _table(self, found: Mapping[str, Mapping[int, Sequence[float]]]) -> Table:
        one, most = self.threads[0], self.threads[-1]
        heads = ["mixer", *(f"{length:,} a row" for length in self.lengths), "longest chain", f"{one} → {most} threads"]
        rows = []
        for name, by in found.items():
            times = [f"{value:.3g} s" for value in by[most]]
            gain = by[one][-1] / by[most][-1]
            rows.append([name, *times, chain(name), f"{gain:.2f} ×"])
        return Table(heads, rows)


def chain(name: str) -> str:
    """How many operations must wait for one another in a layer that reads n tokens: matrix products, with log n where
    sums are made by halves."""
    if name in RECURRENT:
        return "n"
    return f"n / {made(name).chunk} + 2" if name in CHUNKED else "2 + log n"
