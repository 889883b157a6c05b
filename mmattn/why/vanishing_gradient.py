"""How far back a gradient reaches, before and after training, and what is recalled from there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from statistics import mean
from typing import Any

import torch
from torch import Generator, Tensor

from mmattn.compare import Claim, Findings, Kept, Table, at_least, at_most
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
BLANKS, SYMBOLS = AMONG = ("blanks", "symbols")
"""What a symbol stands among."""
TINY = 1e-12
RECURRENT = ("rnn", "gru", "lstm")
LEARNED, LOST = 0.95, 0.5
AT_FIRST, ALONE, TOGETHER = "at first", "each trained on alone", "all trained on at once"
Norms = list[float]
"""Of the gradient at each of `DISTANCES`."""


class VanishingGradient:
    """The norm of ∂ loss(T) / ∂ input(t) by the distance T − t, t being where the symbol stands that is asked for at T
    (`gradients`), and the accuracy of recalling a symbol after a delay, among blanks and among other symbols.

    A model is trained on each delay alone, where nothing shorter shows the way, and one on all of them, a batch having
    one. Half of the batches have blanks.

    Args:
        mixers: factories `dim → Mixer` by name; each makes a model of `depth` layers.
        delays: how many tokens before the question the symbol stands.
        rows: of a batch.
        rates: a model is trained with each of them; what counts is the training that ended with the least loss.
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
        counts("comparison", depth=depth, dim=dim, steps=steps, rows=rows)
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
        alone = {
            delay: kept.seeded(self.mixers, self.seeds, partial(self._run, (delay,)), f"{delay}/")
            for delay in self.delays
        }
        together = kept.seeded(self.mixers, self.seeds, partial(self._run, self.delays), "all/")
        trained = {ALONE: alone, TOGETHER: dict.fromkeys(self.delays, together)}
        norms = {
            AT_FIRST: first,
            f"trained on {self.delays[-1]:,} alone": _norms(alone[self.delays[-1]]),
            "trained on all delays": _norms(together),
        }
        pictures = {
            f"vanishing_gradient_{file}": plot(
                [Curve(name, _relative(runs)) for name, runs in norms[when].items()],
                "tokens back", f"gradient, relative to one token back, {when}", "xy",
            ) for file, when in zip(("first", "alone", "together"), norms, strict=True)
        }  # fmt: skip
        for how, file in ((ALONE, "alone"), (TOGETHER, "together")):
            curves = [
                Curve(name, [(delay, _right(trained[how][delay][name], SYMBOLS, delay)) for delay in self.delays])
                for name in self.mixers
            ]
            pictures[f"recalled_{file}"] = plot(curves, f"delay in tokens, {how}", "recalled among others", "x")
        return Findings(self._claims(first, alone), self._tables(norms, trained), pictures)

    def _first(self, name: str, seed: int) -> list[float]:
        return gradients(self._model(name, seed), self.symbols)

    def _run(self, delays: Sequence[int], name: str, seed: int) -> dict[str, Any]:
        rate, model, fitted = best(self.rates, partial(self._trained, delays, name, seed))
        right = {
            among: {
                str(each): accuracy(model, partial(self._delayed, rows=128, delay=each, among=among), 2, 0)
                for each in delays
            }
            for among in AMONG
        }
        norms = gradients(model, self.symbols)
        return {"rate": rate, "right": right, "norms": norms, "seconds": fitted.seconds}

    def _trained(self, delays: Sequence[int], name: str, seed: int, rate: float) -> tuple[SymbolModel, Fitted]:
        model = self._model(name, seed)
        return model, fit(model, asked(model, partial(self._draw, delays)), self.steps, rate, seed)

    def _model(self, name: str, seed: int) -> SymbolModel:
        torch.manual_seed(seed)
        return SymbolModel(self.symbols, self.dim, [name] * self.depth, self.mixers, position=self.position)

    def _draw(self, delays: Sequence[int], generator: Generator) -> tuple[Tensor, Tensor]:
        delay = delays[int(torch.randint(len(delays), (), generator=generator))]
        among = AMONG[int(torch.randint(len(AMONG), (), generator=generator))]
        return self._delayed(generator, self.rows, delay, among)

    def _delayed(self, generator: Generator, rows: int, delay: int, among: str) -> tuple[Tensor, Tensor]:
        before = int(torch.randint(BEFORE, (), generator=generator))  # else its place alone would tell the symbol
        return passkey(generator, rows, before + delay + 2, delay + 1, self.symbols, blank=among == BLANKS)

    def _claims(self, first: Mapping[str, list[Norms]], alone: Mapping[int, Mapping[str, list[Any]]]) -> list[Claim]:
        left = {name: dict(_relative(runs)).get(FAR, 0.0) for name, runs in first.items()}
        said = f"at first, of the gradient {FAR:,} tokens back is left"
        claims = [at_most(f"{name}: {said}", left[name], 1e-6, "{:.1e}") for name in RECURRENT if name in left]
        near, far = self.delays[0], self.delays[-1]
        for name in (each for each in RECURRENT if each in left):
            right = [_right(alone[delay][name], SYMBOLS, delay) for delay in (near, far)]
            shown, holds = " and ".join(map("{:.1%}".format, right)), right[0] >= LEARNED and right[1] <= LOST
            claim = (
                f"{name}, trained on one delay, recalls among other symbols after {near:,} tokens and not after {far:,}"
            )
            claims.append(Claim(claim, shown, f"≥ {LEARNED:.0%} and ≤ {LOST:.0%}", holds))
        if "attention" in left:
            claims.append(at_least(f"attention: {said}", left["attention"], 1e-2, "{:.1e}"))
            said = f"attention, trained on one delay, recalls among other symbols after {far:,} tokens"
            claims.append(at_least(said, _right(alone[far]["attention"], SYMBOLS, far), LEARNED, "{:.1%}"))
        return claims

    def _tables(
        self, norms: Mapping[str, Mapping[str, list[Norms]]], trained: Mapping[str, Mapping[int, Mapping[str, Any]]]
    ) -> dict[str, Table]:
        heads = ["mixer", "among", *(f"{each:,} tokens" for each in self.delays)]
        recalled = {
            f"Recalled after a delay, {how}": Table(heads, [
                [name, among, *(f"{_right(found[each][name], among, each):.1%}" for each in self.delays)]
                for name in self.mixers for among in AMONG
            ]) for how, found in trained.items()
        }  # fmt: skip
        further = [each for each in DISTANCES if each != NEAR]
        faded = [
            [f"{name}, {when}", *(f"{dict(_relative(runs)).get(each, 0.0):.1e}" for each in further)]
            for name in self.mixers for when, by in norms.items() for runs in (by[name],)
        ]  # fmt: skip
        return {
            **recalled,
            "Gradient, relative to one token back": Table(["mixer", *(f"{each:,} back" for each in further)], faded),
        }


def gradients(model: SymbolModel, symbols: int, rows: int = 8) -> list[float]:
    """The norm of the gradient of the log odds, at the last token, of the symbol to be recalled by that symbol's
    embedding; it stands so many tokens (`DISTANCES`) before, each in rows of one length.

    With p the symbol's probability, ∂ loss = −(1 − p) ∂ log odds: the factor, which does not depend on the path but on
    how well the symbol is known, is left out.
    """
    length, norms = DISTANCES[-1] + 2, []
    for distance in DISTANCES:
        ids, targets = passkey(Generator().manual_seed(0), rows, length, distance + 1, symbols)
        embeddings, right = model.embed(ids).detach().requires_grad_(), targets[:, -1:]
        scores = model.out(model.states(embeddings)[:, -1])
        odds = scores.gather(1, right) - scores.scatter(1, right, -torch.inf).logsumexp(1, keepdim=True)
        (gradient,) = torch.autograd.grad(odds.mean(), embeddings)
        norms.append(float(gradient[:, -1 - distance].norm()))
    return norms


def _norms(found: Mapping[str, list[Any]]) -> dict[str, list[Norms]]:
    return {name: [run["norms"] for run in runs] for name, runs in found.items()}


def _relative(runs: Sequence[Norms]) -> list[tuple[int, float]]:
    """(distance, norm ÷ that of one token back), the mean of the seeds."""
    found = [[norm / max(norms[0], TINY) for norm in norms] for norms in runs]
    return [(distance, mean(column)) for distance, column in zip(DISTANCES, zip(*found, strict=True), strict=True)]


def _right(runs: Sequence[Mapping[str, Any]], among: str, delay: int) -> float:
    return mean(run["right"][among][str(delay)] for run in runs)
