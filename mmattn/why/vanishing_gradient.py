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
from mmattn.limits import whole
from mmattn.positions import Position
from mmattn.report.plot import Curve, plot
from mmattn.why.model import Factory, SymbolModel
from mmattn.why.recall_tasks import passkey
from mmattn.why.training import Fitted, accuracy, asked, best, fit, learning_rates

DISTANCES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1023)
NEAR, FAR = DISTANCES[0], DISTANCES[-1]
BEFORE = 16  # tokens before the symbol, at most
BLANKS, SYMBOLS = AMONG = ("blanks", "symbols")
"""What a symbol stands among."""
TINY = 1e-12
RECURRENT = ("rnn", "gru", "lstm")
LEARNED, LOST = 0.95, 0.5


class VanishingGradient:
    """The norm of ∂ loss(T) / ∂ input(t) by the distance T − t, t being where the symbol stands that is asked for at T
    (`gradients`), and the accuracy of recalling a symbol after a delay, among blanks and among other symbols.

    A model is trained on all delays and on both at once, a batch having one of each: as many rows as have `tokens`
    together.

    Args:
        mixers: factories `dim → Mixer` by name; each makes a model of `depth` layers.
        delays: how many tokens before the question the symbol stands.
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
        tokens: int,
        rates: Sequence[float],
        position: Position | None = None,
        seeds: int = 1,
    ) -> None:
        whole("comparison.steps", steps, 1)
        for delay in delays:
            whole("comparison.delays", delay, 1)
        if not mixers or not delays:
            raise ConfigError("comparison: mixers and delays need an entry each, at least.")
        self.mixers, self.position, self.depth, self.dim = dict(mixers), position, depth, dim
        self.delays, self.symbols, self.steps, self.tokens = tuple(sorted(delays)), symbols, steps, tokens
        whole("comparison.tokens", tokens, self.delays[-1] + BEFORE)
        self.rates, self.seeds = learning_rates("comparison.rates", rates), range(1, seeds + 1)

    def measure(self, kept: Kept) -> Findings:
        found = kept.seeded(self.mixers, self.seeds, self._run)
        pictures = {
            f"vanishing_gradient_{when}": plot(
                [Curve(name, _relative(runs, when)) for name, runs in found.items()],
                "tokens back", f"gradient, relative to one token back, {title}", "xy",
            ) for when, title in (("first", "at first"), ("trained", "after training"))
        }  # fmt: skip
        for among in AMONG:
            right = [
                Curve(name, [(each, _mean(runs, among, each)) for each in self.delays]) for name, runs in found.items()
            ]
            pictures[f"vanishing_gradient_among_{among}"] = plot(
                right, f"delay in tokens, among {among}", "recalled", "x"
            )
        return Findings(self._claims(found), self._tables(found), pictures)

    def _run(self, name: str, seed: int) -> dict[str, Any]:
        first = gradients(self._model(name, seed), self.symbols)
        rate, model, fitted = best(self.rates, partial(self._trained, name, seed))
        right = {
            among: {
                str(each): accuracy(model, partial(self._delayed, rows=128, delay=each, among=among), 2, 0)
                for each in self.delays
            }
            for among in AMONG
        }
        trained = gradients(model, self.symbols)
        return {"rate": rate, "right": right, "first": first, "trained": trained, "seconds": fitted.seconds}

    def _trained(self, name: str, seed: int, rate: float) -> tuple[SymbolModel, Fitted]:
        model = self._model(name, seed)
        return model, fit(model, asked(model, self._draw), self.steps, rate, seed)

    def _model(self, name: str, seed: int) -> SymbolModel:
        torch.manual_seed(seed)
        return SymbolModel(self.symbols, self.dim, [name] * self.depth, self.mixers, position=self.position)

    def _draw(self, generator: Generator) -> tuple[Tensor, Tensor]:
        delay = self.delays[int(torch.randint(len(self.delays), (), generator=generator))]
        among = AMONG[int(torch.randint(len(AMONG), (), generator=generator))]
        return self._delayed(generator, self.tokens // (delay + BEFORE), delay, among)

    def _delayed(self, generator: Generator, rows: int, delay: int, among: str) -> tuple[Tensor, Tensor]:
        before = int(torch.randint(BEFORE, (), generator=generator))  # else its place alone would tell the symbol
        return passkey(generator, rows, before + delay + 2, delay + 1, self.symbols, blank=among == BLANKS)

    def _claims(self, found: Mapping[str, list[dict[str, Any]]]) -> list[Claim]:
        left = {name: dict(_relative(runs, "first")).get(FAR, 0.0) for name, runs in found.items()}
        said = f"at first, of the gradient {FAR:,} tokens back is left"
        claims = [at_most(f"{name}: {said}", left[name], 1e-6, "{:.1e}") for name in RECURRENT if name in found]
        near, far = self.delays[0], self.delays[-1]
        for name in (each for each in RECURRENT if each in found):
            right = [_mean(found[name], SYMBOLS, delay) for delay in (near, far)]
            shown, holds = " and ".join(map("{:.1%}".format, right)), right[0] >= LEARNED and right[1] <= LOST
            claim = f"{name} learns to recall among other symbols after {near:,} tokens and not after {far:,}"
            claims.append(Claim(claim, shown, f"≥ {LEARNED:.0%} and ≤ {LOST:.0%}", holds))
        if "attention" in found:
            claims.append(at_least(f"attention: {said}", left["attention"], 1e-2, "{:.1e}"))
            said = f"attention recalls among other symbols after {far:,} tokens"
            claims.append(at_least(said, _mean(found["attention"], SYMBOLS, far), LEARNED, "{:.1%}"))
        return claims

    def _tables(self, found: Mapping[str, list[dict[str, Any]]]) -> dict[str, Table]:
        heads = ["mixer", "among", *(f"{each:,} tokens" for each in self.delays), "training of both"]
        rows = [
            [name, among, *(f"{_mean(runs, among, each):.1%}" for each in self.delays),
             f"{mean(run['seconds'] for run in runs):.0f} s"]
            for name, runs in found.items() for among in AMONG
        ]  # fmt: skip
        further = [each for each in DISTANCES if each != NEAR]
        faded = [
            [f"{name}, {title}", *(f"{dict(_relative(runs, when)).get(each, 0.0):.1e}" for each in further)]
            for name, runs in found.items() for when, title in (("first", "at first"), ("trained", "trained"))
        ]  # fmt: skip
        return {
            "Recalled after a delay": Table(heads, rows),
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


def _relative(runs: Sequence[Mapping[str, Any]], when: str) -> list[tuple[int, float]]:
    """(distance, norm ÷ that of one token back), the mean of the seeds."""
    found = [[norm / max(run[when][0], TINY) for norm in run[when]] for run in runs]
    return [(distance, mean(column)) for distance, column in zip(DISTANCES, zip(*found, strict=True), strict=True)]


def _mean(runs: Sequence[Mapping[str, Any]], among: str, delay: int) -> float:
    return mean(run["right"][among][str(delay)] for run in runs)
