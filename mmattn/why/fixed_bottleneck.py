"""What one vector between encoder and decoder holds, and what attention to all that was encoded changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from statistics import mean
from typing import Any

import torch

from mmattn.backbone import Backbone
from mmattn.compare import Claim, Findings, Kept, Table, at_least, mean_and_deviation
from mmattn.context import Context
from mmattn.limits import counts, learning_rates
from mmattn.mixers import AdditiveAttention, Attention, CrossAttention, MultiplicativeAttention, Recurrent
from mmattn.patterns import Causal
from mmattn.positions import Sinusoidal
from mmattn.report.matrix import matrix
from mmattn.report.plot import Curve, plot
from mmattn.why.model import parameters
from mmattn.why.pairs import Pairs
from mmattn.why.training import Fitted, best, fit
from mmattn.why.transduction import Transducer

KINDS = ("one vector", "additive attention", "multiplicative attention", "transformer")
LEAST = 0.98


class FixedBottleneck:
    """Encoders and decoders that are trained alike on pairs of texts; exact match against the length of the text.

    All but the transformer are GRUs, whose decoders look at the encoder's states before each letter: the first one at
    the last state alone, with layers as of multiplicative attention, which looks at all.

    Args:
        task: `mmattn.why.pairs.Reversal`, or `mmattn.why.date_pairs.DatePairs`.
        rates: each kind is trained with each of them; what counts is the training that ended with the least loss.
        tested: pairs of each length.
    """

    def __init__(
        self, task: Pairs, *, dim: int, steps: int, rows: int, rates: Sequence[float], tested: int, seeds: int = 1
    ) -> None:
        counts("comparison", steps=steps, rows=rows, tested=tested, dim=dim, seeds=seeds)
        self.task, self.dim, self.steps, self.rows = task, dim, steps, rows
        self.rates = learning_rates("comparison.rates", rates)
        self.tested, self.seeds = tested, range(1, seeds + 1)
        for kind in KINDS:
            self.model(kind)  # what does not fit is said before anything is trained

    def measure(self, kept: Kept) -> Findings:
        found = kept.seeded(KINDS, self.seeds, self._run)
        lengths = list(found[KINDS[0]][0]["exact"])
        curves = [Curve.of(kind, [(int(n), _exact(runs, n)) for n in lengths]) for kind, runs in found.items()]
        looked = found["additive attention"][0]["alignment"]
        about = "Where additive attention looks"
        pictures = {
            "fixed_bottleneck": plot(curves, "letters of the text", "exactly right"),
            "alignment": matrix(looked["weights"], list(looked["made"]), list(looked["given"]), about),
        }
        return Findings(
            self._claims(found, lengths), {"Exactly right, by letters of the text": _table(found)}, pictures
        )

    def model(self, kind: str) -> Transducer:
        gru = partial(Recurrent, kind="gru")
        if kind == "transformer":
            heads: Any = {"heads": 4}
            encoder = Backbone(self.dim, 2, {"own": partial(Attention, **heads)}, position=Sinusoidal())
            mixers: Any = {
                "own": partial(Attention, pattern=Causal(), **heads),
                "other": partial(CrossAttention, **heads),
            }
            decoder = Backbone(self.dim, 4, mixers, ["own", "other"], without_mlp=["own"], position=Sinusoidal())
            return Transducer(self.task.letters, encoder, decoder)
        encoder = Backbone(self.dim, 1, {"gru": gru}, mlp=None)
        if kind == "additive attention":
            decoder = Backbone(self.dim, 1, {"look": AdditiveAttention}, mlp=None)
        else:
            mixers = {"gru": gru, "look": MultiplicativeAttention}  # a state that knows what was seen, and looks again
            decoder = Backbone(self.dim, 3, mixers, ["look", "gru", "look"], mlp=None)
        return Transducer(self.task.letters, encoder, decoder, one_vector=kind == "one vector")

    def _run(self, kind: str, seed: int) -> dict[str, Any]:
        rate, model, fitted = best(self.rates, partial(self._trained, kind, seed))
        exact = {str(length): self._exact(model, pairs) for length, pairs in self.task.tests(self.tested).items()}
        looked = self._alignment(model) if kind == "additive attention" else None
        return {
            "rate": rate,
            "exact": exact,
            "loss": fitted.losses[-1][1],
            "seconds": fitted.seconds,
            "parameters": parameters(model),
            "alignment": looked,
        }

    def _trained(self, kind: str, seed: int, rate: float) -> tuple[Transducer, Fitted]:
        torch.manual_seed(seed)
        model = self.model(kind)
        return model, fit(model, lambda drawn: model.loss(self.task.draw(drawn, self.rows)), self.steps, rate, seed)

    def _exact(self, model: Transducer, pairs: Sequence[tuple[str, str]]) -> float:
        given, wanted = zip(*pairs, strict=True)
        made = model.made(given, max(map(len, wanted)))
        return sum(a == b for a, b in zip(made, wanted, strict=True)) / len(pairs)

    @torch.no_grad()
    def _alignment(self, model: Transducer) -> dict[str, Any]:
        """What a decoder with additive attention looks at before each letter that it makes of a text."""
        tests = list(self.task.tests(1).values())
        given = tests[len(tests) // 2][0][0]
        made = model.made([given], len(given) + 8)[0]
        looks: list[list[list[float]]] = []
        layer = model.decoder.blocks[0].mixer

        def look(mixer: Any, arguments: tuple[torch.Tensor, Context]) -> None:
            looks.append(mixer.alignment(*arguments)[0].tolist())

        hook = layer.register_forward_pre_hook(look)  # type: ignore[union-attr]
        model.loss([(given, made)])
        hook.remove()
        return {"given": given, "made": made, "weights": looks[0][: len(made)]}

    def _claims(self, found: Mapping[str, list[dict[str, Any]]], lengths: Sequence[str]) -> list[Claim]:
        short, long = lengths[0], lengths[-1]
        claims = [
            at_least(f"{kind}: exactly right at {long} letters", mean(_exact(found[kind], long)), LEAST, "{:.1%}")
            for kind in KINDS[1:]
        ]
        fall = mean(_exact(found[KINDS[0]], short)) - mean(_exact(found[KINDS[0]], long))
        return [*claims, at_least(f"One vector loses from {short} to {long} letters", fall, 0.3, "{:.1%}")]


def _table(found: Mapping[str, list[dict[str, Any]]]) -> Table:
    lengths = list(found[KINDS[0]][0]["exact"])
    rows = []
    for kind, runs in found.items():
        seconds, count = mean(run["seconds"] for run in runs), runs[0]["parameters"]
        rates = ", ".join(f"{run['rate']:g}" for run in runs)
        rows.append(
            [
                kind,
                *(mean_and_deviation(_exact(runs, n), "{:.1%}") for n in lengths),
                rates,
                f"{count:,}",
                f"{seconds:.0f} s",
            ]
        )
    return Table(["", *lengths, "rate", "parameters", "training at it"], rows)


def _exact(runs: Sequence[Mapping[str, Any]], length: str) -> list[float]:
    """Of texts of one length, of each seed."""
    return [run["exact"][length] for run in runs]
