"""What is found again: associative recall, induction, selective copying, a passkey, against the size of the state."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import mean
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor
from torch.utils._pytree import tree_leaves

from mmattn.compare import Claim, Findings, Kept, Table, at_least, mean_and_deviation
from mmattn.errors import ConfigError, nearest
from mmattn.limits import counts, learning_rates, whole, wholes, within
from mmattn.positions import Position
from mmattn.report.plot import Curve, plot
from mmattn.sequence import TokenInfo, TokenSequence
from mmattn.why.model import Factory, SymbolModel, check, parameters
from mmattn.why.recall_tasks import associative_recall, induction, passkey, selective_copying
from mmattn.why.training import Draw, Fitted, accuracy, asked, best, fit

LEARNED, EXACT = 0.95, 0.99
COPIED = 16
"""Symbols of selective copying."""
ROOM = 8
"""Tokens for each pair, in training as in the test."""


class Training(NamedTuple):
    """steps; learning rates, of which the one that ends with the least loss counts; by those, the rate of what is no
    matrix."""

    steps: int
    rates: tuple[float, ...]
    other: float

    @staticmethod
    def of(key: str, config: Mapping[str, Any]) -> Training:
        """Raises `ConfigError` naming the key for what is no training."""
        if not isinstance(config, Mapping) or set(config) != set(Training._fields):
            raise ConfigError(f"comparison.{key}={config} needs {', '.join(Training._fields)}, and nothing else.")
        steps, rates, other = (config[field] for field in Training._fields)
        whole(f"comparison.{key}.steps", steps, 1)
        within(f"comparison.{key}.other", other, least=0, below=math.inf)
        return Training(steps, learning_rates(f"comparison.{key}.rates", rates), other)


class Recall:
    """Models of the same width that are trained alike, once to find values of keys, once on three other tasks.

    Args:
        mixers: factories `dim → Mixer` by name.
        models: layers of each model, names of `mixers`.
        pairs: of keys and values; a batch is trained with one of them, and each is tested alone.
        distances: of the passkey. length: of the other three tasks.
        pairs_training, others_training: how models are trained to find values, and how on the other tasks:
            `Training`'s fields.
        position: of the models that are `placed`: others tell places by what they remember, or not.

    Raises `ConfigError` for what cannot be trained, a model without steps among it.
    """

    def __init__(
        self,
        mixers: Mapping[str, Factory],
        models: Mapping[str, Sequence[str]],
        *,
        pairs: Sequence[int],
        distances: Sequence[int],
        length: int,
        dim: int,
        symbols: int,
        rows: int,
        pairs_training: Mapping[str, Any],
        others_training: Mapping[str, Any],
        position: Position | None = None,
        placed: Sequence[str] = (),
        seeds: int = 1,
    ) -> None:
        for name, layers in models.items():
            if not layers:
                raise ConfigError(f"comparison.models.{name} has no layers; list names of comparison.mixers.")
            for layer in layers:
                if layer not in mixers:
                    raise ConfigError(f"comparison.models.{name} names '{layer}'.{nearest(layer, mixers)}")
        for name in placed:
            if name not in models:
                raise ConfigError(f"comparison.placed names '{name}'.{nearest(name, models)}")
        counts("comparison", rows=rows, dim=dim, length=length, symbols=symbols, seeds=seeds)
        if not models:
            raise ConfigError("comparison.models needs an entry, at least.")
        self.pairs = wholes("comparison.pairs", pairs, 1, 2)
        self.distances = wholes("comparison.distances", distances, 1)
        if length < max(2 * COPIED, max(distances) + 2):
            raise ConfigError(
                f"comparison.length={length} is too short for {COPIED} symbols to copy, or for distances up to "
                f"{max(distances)}; raise it."
            )
        if max(pairs) * 2 > symbols - 2:
            raise ConfigError(f"comparison.symbols={symbols} cannot name {max(pairs)} keys apart; raise it.")
        self.mixers, self.models, self.placed, self.position = dict(mixers), dict(models), tuple(placed), position
        self.length, self.dim, self.symbols, self.rows = length, dim, symbols, rows
        self.pairs_training = Training.of("pairs_training", pairs_training)
        self.others_training = Training.of("others_training", others_training)
        self.seeds = range(1, seeds + 1)
        for name in self.models:
            try:
                check(self._model(name))
                remembered(self._model(name))  # is asked for after its training
            except ConfigError as error:
                raise ConfigError(f"comparison.models.{name}: {error}") from error

    def measure(self, kept: Kept) -> Findings:
        pairs = partial(self._run, training=self.pairs_training, draw=self._pairs, tests=self._asked())
        tasks = partial(self._run, training=self.others_training, draw=self._others, tests=self._tasks())
        found = kept.seeded(self.models, self.seeds, pairs, "pairs/")
        others = kept.seeded(self.models, self.seeds, tasks, "others/")
        curves = [
            Curve.of(name, [(each, _each(runs, f"{each} pairs")) for each in self.pairs])
            for name, runs in found.items()
        ]
        picture = plot(curves, "pairs to remember", "values recalled", "x")
        return Findings(self._claims(found), self._tables(found, others), {"recall": picture})

    def _run(self, name: str, seed: int, training: Training, draw: Draw, tests: Mapping[str, Draw]) -> dict[str, Any]:
        rate, model, fitted = best(training.rates, partial(self._trained, name, seed, training, draw))
        right = {title: accuracy(model, test, 4, 0) for title, test in tests.items()}
        about = {"rate": rate, "seconds": fitted.seconds, "loss": fitted.losses[-1][1]}
        return {**right, **about, "parameters": parameters(model), "remembered": remembered(model)}

    def _trained(self, name: str, seed: int, training: Training, draw: Draw, rate: float) -> tuple[SymbolModel, Fitted]:
        torch.manual_seed(seed)
        model = self._model(name)
        return model, fit(model, asked(model, draw), training.steps, rate, seed, other=training.other)

    def _model(self, name: str) -> SymbolModel:
        position = self.position if name in self.placed else None
        return SymbolModel(self.symbols, self.dim, self.models[name], self.mixers, position=position)

    def _pairs(self, generator: Generator) -> tuple[Tensor, Tensor]:
        pairs = self.pairs[int(torch.randint(len(self.pairs), (), generator=generator))]
        return associative_recall(generator, self.rows, ROOM * pairs, pairs, self.symbols)

    def _asked(self) -> dict[str, Draw]:
        return {
            f"{pairs} pairs": partial(
                associative_recall, rows=64, length=ROOM * pairs, pairs=pairs, symbols=self.symbols
            ) for pairs in self.pairs
        }  # fmt: skip

    def _others(self, generator: Generator) -> tuple[Tensor, Tensor]:
        tests = list(self._tasks(self.rows).values())
        return tests[int(torch.randint(len(tests), (), generator=generator))](generator)

    def _tasks(self, rows: int = 256) -> dict[str, Draw]:
        same: Any = {"rows": rows, "length": self.length, "symbols": self.symbols}
        near = {f"passkey, {each} back": partial(passkey, distance=each, **same) for each in self.distances}
        copying = partial(selective_copying, count=COPIED, **same)
        return {"induction": partial(induction, **same), "selective copying": copying, **near}

    def _claims(self, found: Mapping[str, list[dict[str, Any]]]) -> list[Claim]:
        few, most = (f"{self.pairs[place]} pairs" for place in (0, -1))
        easy, hard = ({name: mean(_each(runs, each)) for name, runs in found.items()} for each in (few, most))
        claims, sizes = [], []
        for name, runs in found.items():
            size, shown = runs[0]["remembered"], f"{easy[name]:.1%} and {hard[name]:.1%}"
            if size is None:
                claims.append(at_least(f"{name} recalls {most}", hard[name], EXACT, "{:.1%}"))
                continue
            both = easy[name] >= LEARNED and hard[name] < EXACT
            said = f"{name}, which remembers {size:,} numbers, learns to recall {few} and not {most}"
            claims.append(Claim(said, shown, f"≥ {LEARNED:.0%} and < {EXACT:.0%}", both))
            if name.startswith("mamba2"):
                sizes.append((size, hard[name], easy[name]))
        if len(sizes) > 1:
            sizes.sort()
            shown = ", ".join(f"{size:,} numbers {share:.1%}" for size, share, _ in sizes)
            learned = [share for _, share, learned in sizes if learned >= LEARNED]  # of others it would say nothing
            rises = len(learned) > 1 and learned[-1] >= learned[0] + 0.05
            claims.append(Claim(f"A larger state of Mamba-2 recalls more of {most}", shown, "by 5 % or more", rises))
        return claims

    def _tables(self, found: Mapping[str, list[Any]], others: Mapping[str, list[Any]]) -> dict[str, Table]:
        asked, tasks = list(self._asked()), list(self._tasks())
        rows, more = [], []
        for name in self.models:
            first = found[name][0]
            size = "all tokens" if first["remembered"] is None else f"{first['remembered']:,}"
            right = [mean_and_deviation(_each(found[name], each), "{:.1%}") for each in asked]
            seconds = mean(_each(found[name], "seconds"))
            rows.append([name, size, f"{first['parameters']:,}", *right, f"{seconds:.0f} s"])
            more.append([name, size, *(mean_and_deviation(_each(others[name], each), "{:.1%}") for each in tasks)])
        return {
            "Associative recall": Table(["model", "numbers remembered", "parameters", *asked, "training"], rows),
            "Other ways to ask": Table(["model", "numbers remembered", *tasks], more),
        }


@torch.no_grad()
def remembered(model: SymbolModel) -> int | None:
    """Numbers that all layers keep of a document, whatever its length; None where they grow with it."""
    sizes = []
    for length in (32, 64):
        ids = torch.zeros(1, length, dtype=torch.long)
        _, states = model.backbone.step(TokenSequence(model.embed(ids), TokenInfo.from_lengths([length])), None)
        sizes.append(
            sum(each.numel() for each in tree_leaves(states) if torch.is_tensor(each) and each.is_floating_point())
        )
    return sizes[0] if sizes[0] == sizes[1] else None


def _each(runs: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    return [run[key] for run in runs]
