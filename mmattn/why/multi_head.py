"""What several heads are for: as many parameters, looked at in one place or in several at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from statistics import mean
from typing import Any

import torch
from torch import Tensor

from mmattn.compare import Claim, Findings, Kept, Table, at_least, mean_and_deviation
from mmattn.errors import ConfigError
from mmattn.limits import counts, learning_rates, said, whole, wholes
from mmattn.mixers import Attention
from mmattn.patterns import Causal
from mmattn.positions import Rotary
from mmattn.report.plot import Curve, plot
from mmattn.why.model import SymbolModel, check, parameters
from mmattn.why.prose import Prose, loss_by_place
from mmattn.why.training import Draw, asked, fit


class TiedAttention(Attention):
    """Attention whose heads all look where the first one does: the other heads' queries and keys do nothing."""

    def queries(self, x: Tensor) -> Tensor:
        return super().queries(x)[:, :1].expand(-1, self.heads, -1, -1)

    def keys(self, x: Tensor) -> Tensor:
        return super().keys(x)[:, :1].expand(-1, self.key_heads, -1, -1)


class MultiHead:
    """Language models of letters of the same width and as many parameters, which differ in their heads.

    Args:
        heads: numbers of heads, dividing `dim`. tied: the one of them that is compared with one head, and with as many
            heads that are tied to the first.
    """

    def __init__(
        self, heads: Sequence[int], tied: int, *, length: int, letters: int, dim: int, depth: int, steps: int,
        rows: int, rate: float, seeds: int = 1,
    ) -> None:  # fmt: skip
        counts("comparison", length=length, dim=dim, depth=depth, steps=steps, rows=rows, seeds=seeds)
        whole("comparison.letters", letters, length)
        self.counts = wholes("comparison.heads", heads, 1, 2)
        if self.counts[0] != 1 or tied not in self.counts[1:]:
            raise ConfigError(
                f"comparison.heads={list(heads)} must hold 1 and comparison.tied={said(tied)}, which are compared."
            )
        self.tied, self.length, self.letters = tied, length, letters
        self.dim, self.depth, self.steps, self.rows = dim, depth, steps, rows
        (self.rate,), self.seeds = learning_rates("comparison.rate", [rate]), range(1, seeds + 1)
        self.prose = Prose()
        for count in self.counts:
            check(self._model(count, Attention))

    def measure(self, kept: Kept) -> Findings:
        kinds = [(f"{count} head{'s' if count > 1 else ''}", count, Attention) for count in self.counts]
        kinds.append((f"{self.tied} heads, tied", self.tied, TiedAttention))
        found = {
            name: [kept(f"{name}_{seed}", partial(self._run, count, kind, seed)) for seed in self.seeds]
            for name, count, kind in kinds
        }
        own = Curve.of("heads of their own", [(count, _losses(found[name])) for name, count, _ in kinds[:-1]])
        tied = Curve.of(kinds[-1][0], [(self.tied, _losses(found[kinds[-1][0]]))])
        picture = plot([own, tied], "heads", "nats a letter", "x")
        return Findings(
            self._claims(found, [name for name, *_ in kinds]), {"Table": _table(found)}, {"multi_head": picture}
        )

    def _run(self, heads: int, kind: type[Attention], seed: int) -> dict[str, Any]:
        torch.manual_seed(seed)
        model = self._model(heads, kind)
        draw: Draw = partial(self.prose.draw, rows=self.rows, length=self.length)
        seconds = fit(model, asked(model, draw), self.steps, self.rate, seed).seconds
        loss = float(loss_by_place(model, *self.prose.windows(self.length, self.letters)).mean())
        return {"loss": loss, "parameters": parameters(model), "seconds": seconds}

    def _model(self, heads: int, kind: type[Attention]) -> SymbolModel:
        mixers = {"attention": partial(kind, heads=heads, pattern=Causal())}
        return SymbolModel(self.prose.symbols, self.dim, ["attention"] * self.depth, mixers, position=Rotary())

    def _claims(self, found: Mapping[str, list[dict[str, Any]]], names: Sequence[str]) -> list[Claim]:
        one, own, tied = (mean(_losses(found[name])) for name in (names[0], f"{self.tied} heads", names[-1]))
        return [
            at_least(f"{self.tied} heads need fewer nats a letter than one, by", one - own, 0.01, "{:.3f}"),
            at_least(
                f"{self.tied} heads, tied to the first, need more nats a letter than {self.tied} of their own, by",
                tied - own,
                0.01,
                "{:.3f}",
            ),
        ]


def _table(found: Mapping[str, list[dict[str, Any]]]) -> Table:
    rows = []
    for name, runs in found.items():
        seconds = mean(run["seconds"] for run in runs)
        rows.append(
            [name, mean_and_deviation(_losses(runs), "{:.3f}"), f"{runs[0]['parameters']:,}", f"{seconds:.0f} s"]
        )
    return Table(["", "nats a letter", "parameters", "training"], rows)


def _losses(runs: Sequence[Mapping[str, Any]]) -> list[float]:
    return [run["loss"] for run in runs]
