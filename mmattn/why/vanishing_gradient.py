"""How far back a gradient reaches, before and after training, and what is recalled from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from statistics import mean
from typing import Any

import torch
from torch import Generator, Tensor

from mmattn.compare import Claim, Findings, Kept, Table, at_least, at_most, mean_and_deviation
from mmattn.errors import ConfigError
from mmattn.limits import counts, learning_rates, whole, wholes
from mmattn.positions import Position
from mmattn.report.plot import Curve, plot
from mmattn.why.model import Factory, SymbolModel, check
from mmattn.why.recall_tasks import FIRST, passkey
from mmattn.why.training import Fitted, accuracy, asked, best, fit

DISTANCES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1023)
NEAR, FAR = DISTANCES[0], DISTANCES[-1]
BEFORE = 16  # tokens before the symbol, at most
TINY = 1e-12
RECURRENT = ("rnn", "gru", "lstm")
LEARNED, LOST = 0.95, 0.5
Norms = list[float]
"""Of the gradient at each of `DISTANCES`."""


class VanishingGradient:
    """The norm of ∂ log odds(T) / ∂ input(t) by the distance T − t, t being where the symbol stands that is asked for
    at T (`gradients`), and the accuracy of recalling a symbol after a delay, among blanks.

    A model is trained on each delay alone: nothing shorter shows the way. All delays have as many rows, hence answers,
    and differ in nothing but the distance.

    Args:
        mixers: factories `dim → Mixer` by name; each makes a model of `depth` layers.
        delays: how many tokens before the question the symbol stands.
        rows: of a batch, each with one question.
        rates: the one with which a model ends the shortest delay with the least loss is its rate for all of them.
    """

    def __init__(
        self,
        mixers: Mapping[str, Factory],
        *,
        delays: Sequence[int],
        depth: int,
        dim: int,
        symbols: int,
        steps: int,
        rows: int,
        rates: Sequence[float],
        position: Position | None = None,
        seeds: int = 1,
    ) -> None:
        counts("comparison", depth=depth, dim=dim, steps=steps, rows=rows, seeds=seeds)
        whole("comparison.symbols", symbols, FIRST + 2)
        if not mixers:
            raise ConfigError("comparison.mixers needs an entry, at least.")
        self.mixers, self.position, self.depth, self.dim = dict(mixers), position, depth, dim
        self.delays = wholes("comparison.delays", delays, 1, 2)
        self.symbols, self.steps, self.rows = symbols, steps, rows
        self.rates, self.seeds = learning_rates("comparison.rates", rates), range(1, seeds + 1)
        for name in self.mixers:
            check(self._model(name, 0))

    def measure(self, kept: Kept) -> Findings:
        first = kept.seeded(self.mixers, self.seeds, self._first, "first/")
        near, far = self.delays[0], self.delays[-1]
        shortest = kept.seeded(self.mixers, self.seeds, partial(self._run, near, None), f"{near}/")
        trained = {near: shortest} | {
            delay: kept.seeded(self.mixers, self.seeds, partial(self._run, delay, shortest), f"{delay}/")
            for delay in self.delays[1:]
        }
        norms = {
            "at first": first,
            f"trained on {far:,}": {name: [run["norms"] for run in runs] for name, runs in trained[far].items()},
        }
        pictures = {
            f"vanishing_gradient_{file}": plot(
                [Curve.of(name, _relative(runs).items()) for name, runs in norms[when].items()],
                "tokens back", f"gradient, relative to one token back, {when}", "xy",
            ) for file, when in zip(("first", "trained"), norms, strict=True)
        }  # fmt: skip
        pictures["recalled"] = plot(
            [Curve.of(name, [(each, _right(trained[each][name])) for each in self.delays]) for name in self.mixers],
            "delay in tokens", "symbols recalled", "x",
        )  # fmt: skip
        return Findings(self._claims(first, trained), self._tables(norms, trained), pictures)

    def _first(self, name: str, seed: int) -> list[float]:
        return gradients(self._model(name, seed), self.symbols)

    def _run(self, delay: int, shortest: Mapping[str, Any] | None, name: str, seed: int) -> dict[str, Any]:
        rates = self.rates if shortest is None else [shortest[name][seed - 1]["rate"]]
        rate, model, fitted = best(rates, partial(self._trained, delay, name, seed))
        right = accuracy(model, partial(self._delayed, delay, 128), 2, 0)
        norms = gradients(model, self.symbols) if delay == self.delays[-1] else []  # of others they are not shown
        return {"rate": rate, "right": right, "norms": norms, "seconds": fitted.seconds}

    def _trained(self, delay: int, name: str, seed: int, rate: float) -> tuple[SymbolModel, Fitted]:
        model = self._model(name, seed)
        return model, fit(model, asked(model, partial(self._delayed, delay, self.rows)), self.steps, rate, seed)

    def _model(self, name: str, seed: int) -> SymbolModel:
        torch.manual_seed(seed)
        return SymbolModel(self.symbols, self.dim, [name] * self.depth, self.mixers, position=self.position)

    def _delayed(self, delay: int, rows: int, generator: Generator) -> tuple[Tensor, Tensor]:
        before = int(torch.randint(BEFORE, (), generator=generator))  # else its place alone would tell the symbol
        return passkey(generator, rows, before + delay + 2, delay + 1, self.symbols, blank=True)

    def _claims(self, first: Mapping[str, list[Norms]], trained: Mapping[int, Mapping[str, list[Any]]]) -> list[Claim]:
        left = {name: mean(_relative(runs)[FAR]) for name, runs in first.items()}
        said = f"at first, of the gradient {FAR:,} tokens back is left"
        claims = [at_most(f"{name}: {said}", left[name], 1e-6, "{:.1e}") for name in RECURRENT if name in left]
        near, far = self.delays[0], self.delays[-1]
        for name in (each for each in RECURRENT if each in left):
            right = [mean(_right(trained[delay][name])) for delay in (near, far)]
            shown, holds = " and ".join(map("{:.1%}".format, right)), right[0] >= LEARNED and right[1] <= LOST
            claim = f"{name} recalls after {near:,} tokens and not after {far:,}"
            claims.append(Claim(claim, shown, f"≥ {LEARNED:.0%} and ≤ {LOST:.0%}", holds))
        if "attention" in left:
            claims.append(at_least(f"attention: {said}", left["attention"], 1e-2, "{:.1e}"))
            said = f"attention recalls after {far:,} tokens"
            claims.append(at_least(said, mean(_right(trained[far]["attention"])), LEARNED, "{:.1%}"))
        return claims

    def _tables(
        self, norms: Mapping[str, Mapping[str, list[Norms]]], trained: Mapping[int, Mapping[str, Any]]
    ) -> dict[str, Table]:
        recalled = [
            [
                name,
                ", ".join(f"{run['rate']:g}" for run in trained[self.delays[0]][name]),
                *(mean_and_deviation(_right(trained[each][name]), "{:.1%}") for each in self.delays),
            ]
            for name in self.mixers
        ]
        heads = ["mixer", "rate", *(f"{each:,} tokens" for each in self.delays)]
        further = [each for each in DISTANCES if each != NEAR]
        faded = [
            [f"{name}, {when}", *(f"{mean(_relative(runs)[each]):.1e}" for each in further)]
            for name in self.mixers for when, by in norms.items() for runs in (by[name],)
        ]  # fmt: skip
        return {
            "Recalled after a delay, each trained on alone": Table(heads, recalled),
            "Gradient, relative to one token back": Table(["mixer", *(f"{each:,} back" for each in further)], faded),
        }


def gradients(model: SymbolModel, symbols: int, rows: int = 8) -> list[float]:
    """The norm of the gradient of the log odds, at the last token, of the symbol to be recalled by that symbol's
    embedding; it stands so many tokens (`DISTANCES`) before, among blanks, each in rows of one length.

    With p the symbol's probability, ∂ loss = −(1 − p) ∂ log odds: the factor, which does not depend on the path but on
    how well the symbol is known, is left out.
    """
    length, norms = DISTANCES[-1] + 2, []
    for distance in DISTANCES:
        ids, targets = passkey(Generator().manual_seed(0), rows, length, distance + 1, symbols, blank=True)
        embeddings, right = model.embed(ids).detach().requires_grad_(), targets[:, -1:]
        scores = model.out(model.states(embeddings)[:, -1])
        odds = scores.gather(1, right) - scores.scatter(1, right, -torch.inf).logsumexp(1, keepdim=True)
        (gradient,) = torch.autograd.grad(odds.mean(), embeddings)
        norms.append(float(gradient[:, -1 - distance].norm()))
    return norms


def _relative(runs: Sequence[Norms]) -> dict[int, tuple[float, ...]]:
    """By distance, the norm ÷ that of one token back, of each seed."""
    found = [[norm / max(norms[0], TINY) for norm in norms] for norms in runs]
    return dict(zip(DISTANCES, zip(*found, strict=True), strict=True))


def _right(runs: Sequence[Mapping[str, Any]]) -> list[float]:
    return [run["right"] for run in runs]
