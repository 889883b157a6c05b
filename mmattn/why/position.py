"""What order means to attention, and how far beyond its training length each way to tell it reaches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from statistics import mean
from typing import Any

import torch
from torch import Generator, Tensor

from mmattn.biases import ALiBi
from mmattn.compare import Claim, Findings, Kept, Table, at_least, at_most, mean_and_deviation
from mmattn.errors import ConfigError, nearest
from mmattn.limits import counts, learning_rates, whole, wholes
from mmattn.mixers import Attention
from mmattn.patterns import Causal, Full
from mmattn.positions import Learned, Position, Rotary, Sinusoidal
from mmattn.report.plot import Curve, plot
from mmattn.why.model import SymbolModel, check
from mmattn.why.prose import Prose, loss_by_place
from mmattn.why.training import Draw, asked, fit

KINDS = ("none", "learned", "sinusoidal", "rotary", "alibi")
LAST = 64
"""Letters at the end of each of the longest windows, whose loss after shorter and longer contexts is compared."""


class PositionKinds:
    """Language models of letters that differ in how they tell places, trained on short windows and read on longer ones.

    Args:
        kinds: of `none, learned, sinusoidal, rotary, alibi`.
        length: of the windows in training. lengths: of those that are read.
        letters: of the validation text that are read at each length.
    """

    def __init__(
        self, kinds: Sequence[str], *, length: int, lengths: Sequence[int], letters: int, dim: int, depth: int,
        heads: int, steps: int, rows: int, rate: float, seeds: int = 1,
    ) -> None:  # fmt: skip
        for kind in kinds:
            if kind not in KINDS:
                raise ConfigError(f"comparison.kinds names '{kind}'; known: {', '.join(KINDS)}.{nearest(kind, KINDS)}")
        if not kinds:
            raise ConfigError(f"comparison.kinds is empty; known: {', '.join(KINDS)}.")
        counts("comparison", dim=dim, depth=depth, heads=heads, steps=steps, rows=rows, seeds=seeds)
        whole("comparison.length", length, 2)
        self.lengths = wholes("comparison.lengths", lengths, 2, 2)
        if self.lengths[0] != length:
            raise ConfigError(f"comparison.lengths={list(lengths)} must begin with that of the training, {length}.")
        whole("comparison.letters", letters, self.lengths[-1])
        self.kinds, self.length, self.letters = tuple(kinds), length, letters
        self.dim, self.depth, self.heads, self.steps, self.rows = dim, depth, heads, steps, rows
        (self.rate,), self.seeds = learning_rates("comparison.rate", [rate]), range(1, seeds + 1)
        self.prose = Prose()
        for kind in kinds:
            check(self.model(kind))

    def measure(self, kept: Kept) -> Findings:
        moved = {kind: kept(f"shuffled/{kind}", partial(self.moved, kind)) for kind in self.kinds}
        found = kept.seeded(self.kinds, self.seeds, self._run)
        curves = [Curve.of(kind, [(n, _read(runs, n, "loss")) for n in self.lengths]) for kind, runs in found.items()]
        picture = plot(curves, f"letters of the window, {self.length} in training", "nats a letter", "x")
        return Findings(self._claims(moved, found), self._tables(moved, found), {"position": picture})

    def model(self, kind: str) -> SymbolModel:
        bias = ALiBi if kind == "alibi" else None
        mixer = partial(Attention, heads=self.heads, pattern=Causal(), score_bias=bias)
        position: Position
        if kind == "learned":
            position = Learned(self.dim, [self.lengths[-1]])
        else:
            position = {"sinusoidal": Sinusoidal, "rotary": Rotary}.get(kind, Position)()
        return SymbolModel(
            self.prose.symbols, self.dim, ["attention"] * self.depth, {"attention": mixer}, position=position
        )

    @torch.no_grad()
    def moved(self, kind: str) -> float:
        """How far the last token's output moves, relative to its size, when the others change places, where all read
        all."""
        torch.manual_seed(0)
        model = self.model(kind).eval()
        for block in model.backbone.blocks:
            block.mixer.pattern = Full()  # type: ignore[union-attr]
        x, _ = self.prose.windows(self.length, 16 * self.length)
        one, other = (model(each)[:, -1] for each in (x, self._shuffled(x)))
        return float((one - other).norm() / one.norm())

    def _run(self, kind: str, seed: int) -> dict[str, Any]:
        torch.manual_seed(seed)
        model = self.model(kind)
        draw: Draw = partial(self.prose.draw, rows=self.rows, length=self.length)
        seconds = fit(model, asked(model, draw), self.steps, self.rate, seed).seconds
        losses = {each: loss_by_place(model, *self.prose.windows(each, self.letters)) for each in self.lengths}
        read = {str(n): {"loss": float(each.mean()), "last": self._last(model, n)} for n, each in losses.items()}
        x, y = self.prose.windows(self.length, self.letters)
        shuffled = loss_by_place(model, self._shuffled(x), y)[-1]
        return {
            "read": read,
            "ordered": float(losses[self.length][-1]),
            "shuffled": float(shuffled),
            "seconds": seconds,
        }

    def _last(self, model: SymbolModel, length: int) -> float:
        """The loss of the same letters at every length: the last ones of the longest windows, after so many before."""
        x, y = self.prose.windows(self.lengths[-1], self.letters)
        return float(loss_by_place(model, x[:, -length:], y[:, -length:])[-LAST:].mean())

    def _shuffled(self, ids: Tensor) -> Tensor:
        """All letters but the last of each row in another order."""
        order = torch.randperm(ids.shape[1] - 1, generator=Generator().manual_seed(0))
        return torch.cat([ids[:, :-1][:, order], ids[:, -1:]], 1)

    def _claims(self, moved: Mapping[str, float], found: Mapping[str, list[dict[str, Any]]]) -> list[Claim]:
        said = "where all read all, another order of the others changes what a token becomes, by"
        claims = [
            at_most(f"none: {said}", share, 1e-5, "{:.1e}") if kind == "none"
            else at_least(f"{kind}: {said}", share, 1e-3, "{:.1e}")
            for kind, share in moved.items()
        ]  # fmt: skip
        last = self.lengths[-1]
        more = {
            kind: mean(_read(runs, last, "last")) - mean(_read(runs, self.length, "last"))
            for kind, runs in found.items()
        }
        said = f"windows of {last:,}, not {self.length}, raise the loss of their last {LAST} letters by"
        if "alibi" in more:
            claims.append(at_most(f"alibi: {said}", more["alibi"], 0.05, "{:+.3f}"))
        if "learned" in more:
            claims.append(at_least(f"learned: {said}", more["learned"], 0.2, "{:+.3f}"))
        return claims

    def _tables(self, moved: Mapping[str, float], found: Mapping[str, list[dict[str, Any]]]) -> dict[str, Table]:
        def rows(key: str) -> list[list[str]]:
            return [
                [kind, *(mean_and_deviation(_read(runs, n, key), "{:.3f}") for n in self.lengths)]
                for kind, runs in found.items()
            ]

        heads = ["position", *(f"{length:,}" for length in self.lengths)]
        order = [
            [
                kind,
                f"{moved[kind]:.1e}",
                *(mean_and_deviation([run[key] for run in runs], "{:.2f}") for key in ("ordered", "shuffled")),
            ]
            for kind, runs in found.items()
        ]
        return {
            "Nats a letter, by the length of the window": Table(heads, rows("loss")),
            f"Of the last {LAST} letters": Table(heads, rows("last")),
            "Another order of the letters before": Table(
                ["position", "output moved (all read all, untrained)", "loss of the last letter", "shuffled"], order
            ),
        }


def _read(runs: Sequence[Mapping[str, Any]], length: int, key: str) -> list[float]:
    """Of windows of one length, of each seed."""
    return [run["read"][str(length)][key] for run in runs]
