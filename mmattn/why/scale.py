"""Why scores are divided by the root of the head's width: the softmax, and what learns through it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from statistics import mean
from typing import Any

import torch
from torch import Generator, Tensor

from mmattn.compare import Claim, Findings, Kept, Table, at_least, at_most, mean_and_deviation
from mmattn.errors import ConfigError
from mmattn.limits import counts, learning_rates, wholes
from mmattn.mixers import Attention, Convolution
from mmattn.patterns import Causal
from mmattn.report.plot import Curve, plot
from mmattn.why.model import SymbolModel
from mmattn.why.recall_tasks import associative_recall
from mmattn.why.training import Fitted, accuracy, asked, best, fit, loss_of

SCALED, PLAIN = "divided by √d", "as they are"
Softmaxes = Mapping[str, Sequence[Mapping[str, float]]]
"""By whether scores are divided, for each width: what `softmax_of_normals` finds."""
Trained = Mapping[str, Sequence[Sequence[Mapping[str, float]]]]
"""The same, for each width and each seed, of the trainings."""


class Scale:
    """Queries and keys of independent unit normals, and a model that recalls, with and without the division.

    Args:
        widths: of the one head.
        keys: tokens that a query reads, of the normals.
        pairs, length: of the associative recall that is trained on.
        rates: each width is trained with each of them; what counts is the training that ended with the least loss.
        steps, rows, dim: of the training.
    """

    def __init__(
        self, widths: Sequence[int], keys: int, pairs: int, length: int, rates: Sequence[float], steps: int,
        rows: int, dim: int, seeds: int = 1,
    ) -> None:  # fmt: skip
        self.widths = wholes("comparison.widths", widths, 1, 2)
        counts(
            "comparison", keys=keys, pairs=pairs, length=length, steps=steps, rows=rows, dim=dim, seeds=seeds
        )  # fmt: skip
        if 3 * pairs > length:
            raise ConfigError(
                f"comparison.length={length} is too short to ask for {pairs} pairs; it takes {3 * pairs}."
            )
        self.keys, self.pairs, self.length, self.steps, self.rows, self.dim = keys, pairs, length, steps, rows, dim
        self.rates, self.seeds = learning_rates("comparison.rates", rates), seeds

    def measure(self, kept: Kept) -> Findings:
        first = {
            name: [kept(f"normals/{name}/{width}", partial(softmax_of_normals, width, self.keys, name == SCALED))
                   for width in self.widths] for name in (SCALED, PLAIN)
        }  # fmt: skip
        trained = {
            name: [[kept(f"trained/{name}/{width}_{seed}", partial(self._run, width, name == SCALED, seed))
                    for seed in range(1, self.seeds + 1)] for width in self.widths] for name in (SCALED, PLAIN)
        }  # fmt: skip
        return Findings(self._claims(first, trained), self._tables(first, trained), self._pictures(first, trained))

    def _run(self, width: int, scaled: bool, seed: int) -> dict[str, float]:
        model = self._model(width, scaled, seed)
        head: Any = model.backbone.blocks[1].mixer
        loss_of(model, *self._draw(Generator().manual_seed(0))).backward()
        gradient = float(head.query.weight.grad.norm())
        rate, model, fitted = best(self.rates, partial(self._trained, width, scaled, seed))
        found = {"loss": fitted.losses[-1][1], "accuracy": accuracy(model, self._draw, 4, 0)}
        return {"gradient": gradient, "rate": rate, **found}

    def _trained(self, width: int, scaled: bool, seed: int, rate: float) -> tuple[SymbolModel, Fitted]:
        model = self._model(width, scaled, seed)
        return model, fit(model, asked(model, self._draw), self.steps, rate, seed)

    def _model(self, width: int, scaled: bool, seed: int) -> SymbolModel:
        torch.manual_seed(seed)
        mixers: Any = {"near": partial(Convolution, windows=[(1, 0)]), "head": partial(single_head, width, scaled)}
        return SymbolModel(2 * self.length, self.dim, ["near", "head"], mixers)

    def _draw(self, generator: Generator) -> tuple[Tensor, Tensor]:
        return associative_recall(generator, self.rows, self.length, self.pairs, 2 * self.length)

    def _claims(self, first: Softmaxes, trained: Trained) -> list[Claim]:
        narrow, wide = self.widths[0], self.widths[-1]
        entropy = {name: [each["entropy"] for each in first[name]] for name in first}
        passed = {name: each[-1]["gradient"] / each[0]["gradient"] for name, each in first.items()}
        right = {name: mean(run["accuracy"] for run in runs[-1]) for name, runs in trained.items()}
        most, gain = math.log(self.keys), right[SCALED] - right[PLAIN]
        return [
            at_most(
                f"Divided, the softmax's entropy differs between widths {narrow} and {wide} by a share of",
                abs(entropy[SCALED][-1] / entropy[SCALED][0] - 1), 0.05, "{:.1%}",
            ),
            at_most(
                f"Undivided, the softmax has at width {wide}, of {most:.2f} nats", entropy[PLAIN][-1], 0.5, "{:.2f}"
            ),
            at_most(f"Undivided, the softmax's Jacobian at width {wide} ÷ at {narrow}", passed[PLAIN], 0.5, "{:.2f}"),
            at_least(f"Divided, the softmax's Jacobian at width {wide} ÷ at {narrow}", passed[SCALED], 0.95, "{:.2f}"),
            at_least(f"Divided, a head of width {wide} recalls more after training, by", gain, 0.05, "{:.1%}"),
        ]  # fmt: skip

    def _tables(self, first: Softmaxes, trained: Trained) -> dict[str, Table]:
        heads = ("scores", "width", "entropy", "largest weight", "softmax's Jacobian",
                 "query's gradient at first", "rate", "loss after training", "recalled")  # fmt: skip
        rows = []
        for name in (SCALED, PLAIN):
            for width, at, runs in zip(self.widths, first[name], trained[name], strict=True):
                gradient = mean(run["gradient"] for run in runs)
                loss = mean_and_deviation([run["loss"] for run in runs], "{:.3f}")
                right = mean_and_deviation([run["accuracy"] for run in runs], "{:.1%}")
                figures = f"{at['entropy']:.2f}", f"{at['largest']:.2f}", f"{at['gradient']:.3f}", f"{gradient:.4f}"
                rates = ", ".join(f"{run['rate']:g}" for run in runs)
                rows.append([name, str(width), *figures, rates, loss, right])
        return {"Softmax and training": Table(heads, rows)}

    def _pictures(self, first: Softmaxes, trained: Trained) -> dict[str, str]:
        def curves(values: Mapping[str, list[list[float]]]) -> list[Curve]:
            return [Curve.of(name, zip(self.widths, values[name], strict=True)) for name in (SCALED, PLAIN)]

        entropy = {name: [[each["entropy"]] for each in first[name]] for name in first}
        loss = {name: [[run["loss"] for run in runs] for runs in trained[name]] for name in trained}
        return {
            "scale": plot(curves(entropy), "width of the head", "entropy of the softmax in nats, at first", "x"),
            "scale_loss": plot(curves(loss), "width of the head", "loss after training, nats a value", "xy"),
        }


def softmax_of_normals(width: int, keys: int, scaled: bool, queries: int = 512) -> dict[str, float]:
    """Mean entropy (nats) and largest weight, and the mean norm of the softmax's Jacobian, diag(p) − ppᵀ: what of a
    change of the scores changes the weights."""
    generator = Generator().manual_seed(0)
    query, key = (
        torch.randn(queries, width, generator=generator),
        torch.randn(queries, keys, width, generator=generator),
    )
    scale = width**-0.5 if scaled else 1.0
    weights = ((key @ query[..., None])[..., 0] * scale).softmax(-1)
    entropy = -(weights * weights.clamp(min=1e-30).log()).sum(-1)
    jacobian = torch.diag_embed(weights) - weights[:, :, None] * weights[:, None, :]
    gradient = jacobian.flatten(1).norm(dim=1)
    return {
        "entropy": float(entropy.mean()),
        "largest": float(weights.amax(-1).mean()),
        "gradient": float(gradient.mean()),
    }


def single_head(width: int, scaled: bool, dim: int) -> Attention:
    head = Attention(dim, 1, head_dim=width, pattern=Causal())
    if not scaled:
        head.scale = 1.0
    return head
