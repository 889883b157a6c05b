"""The same experiments with one part exchanged, at the same budget."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from mmattn.build import Built, build
from mmattn.cli.compose import composed
from mmattn.cli.launch import experiment, quoted
from mmattn.compare.budget import Sized, sized
from mmattn.compare.findings import Findings
from mmattn.compare.flops import flops
from mmattn.compare.kept import Kept
from mmattn.compare.trained import DIVERGED, Trained, findings, worth
from mmattn.errors import ConfigError, MmattnError
from mmattn.limits import whole, within
from mmattn.report.curves import read_series

RATE = "optimizer.learning_rate"
BINS = 24
"""Points of a curve, at most twice as many: each the mean of as many steps."""
UNSTABLE = "The loss is"
"""What a training says that ended for a loss that is no number."""


class Task(NamedTuple):
    """An experiment: its words for `mmattn train`, the steps of a whole training, the metric that ranks variants, and
    which of a variant's forms it takes."""

    words: tuple[str, ...]
    steps: int
    metric: str
    form: str | None


class Matched:
    """Trains variants of experiments with as many parameters and steps, on the same samples in the same order.

    Each variant's learning rate is the best of `rates` after `search` of the steps, by the validation's metric. Each
    training is a run of `mmattn train` in a process of its own.

    Args:
        experiments: by name `{words, steps, metric}`, and `form` where variants have several.
        variants: by name their words, or for each form theirs; the first sets the number of parameters.
        rates: learning rates. search: the share of the steps that each is tried for.
        tolerance: how far parameters may differ, as a share.
        finalists: so many of the best variants are trained with `seeds` seeds, the others with one.
        config_dir: a user's folder, as `mmattn train --config-dir` takes it.
    """

    def __init__(
        self, experiments: Mapping[str, Mapping[str, Any]], variants: Mapping[str, Any], *,
        rates: Sequence[float], search: float = 0.1, tolerance: float = 0.02, finalists: int = 4, seeds: int = 1,
        config_dir: str | None = None,
    ) -> None:  # fmt: skip
        within("comparison.search", search, above=0, most=1)
        within("comparison.tolerance", tolerance, least=0, below=1)
        whole("comparison.finalists", finalists, 0)
        self.tasks = {}
        for name, each in experiments.items():
            whole(f"comparison.experiments.{name}.steps", each.get("steps"), 1)
            self.tasks[name] = Task(tuple(each["words"]), each["steps"], each["metric"], each.get("form"))
        self.variants = dict(variants)
        names = [slug(name) for name in self.variants]
        if len(set(names)) < len(names):
            raise ConfigError(f"comparison.variants: {', '.join(self.variants)} would share folders; name them apart.")
        if not self.tasks or not self.variants or not rates:
            raise ConfigError("comparison: it takes at least one experiment, one variant and one of rates.")
        self.rates, self.search, self.tolerance = tuple(rates), search, tolerance
        self.finalists, self.seeds, self.config_dir = finalists, seeds, config_dir

    def measure(self, kept: Kept) -> Findings:
        plans = {task: self._sizes(kept, task) for task in self.tasks}  # before anything trains
        found = [Trained(task, self.tasks[task].metric, self._trained(kept, task, plans[task])) for task in self.tasks]
        return findings(found, self.tolerance)

    # -- training ---------------------------------------------------------------------------------------------------

    def _sizes(self, kept: Kept, task: str) -> dict[str, dict[str, Any]]:
        """Of each variant: the words that give it its size, its parameters, and operations a step."""
        plans, target = {}, 0
        for name in self.variants:
            words = self._words(task, name)
            planned = partial(_plan, name, words, target, self.tolerance, self.config_dir)
            plan = kept(f"{task}/{slug(name)}/size", planned)
            target = target or plan["parameters"]
            plans[name] = plan
        same = {plan["data"] for plan in plans.values()}
        if len(same) > 1:
            raise ConfigError(f"comparison.variants of {task} train on different data: let them exchange no data.")
        return plans

    def _words(self, task: str, name: str) -> tuple[str, ...]:
        """What `mmattn train` is told of a variant. Raises `ConfigError` where it lacks the experiment's form."""
        own, form = self.variants[name], self.tasks[task].form
        if isinstance(own, Mapping):
            if form not in own:
                raise ConfigError(
                    f"comparison.variants.{name} has no words for {task}, whose form is {form}; it has "
                    f"{', '.join(own)}."
                )
            own = own[form]
        return (*self.tasks[task].words, *own)

    def _trained(self, kept: Kept, task: str, plans: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
        """By variant, a run a seed."""
        runs: dict[str, list[dict[str, Any]]] = {}
        rates = {name: self._rate(kept, task, name, plan) for name, plan in plans.items()}
        for name, plan in plans.items():
            runs[name] = [self._run(kept, task, name, plan, rates[name], 1, 1.0)]
        order = sorted(runs, key=lambda name: worth(self.tasks[task].metric, runs[name][0]["validation"]))
        for name in order[: self.finalists]:
            seeds = range(2, self.seeds + 1)
            runs[name] += [self._run(kept, task, name, plans[name], rates[name], seed, 1.0) for seed in seeds]
        return runs

    def _rate(self, kept: Kept, task: str, name: str, plan: Mapping[str, Any]) -> float:
        if len(self.rates) == 1:
            return self.rates[0]
        tried = {rate: self._run(kept, task, name, plan, rate, 1, self.search) for rate in self.rates}
        return min(tried, key=lambda rate: worth(self.tasks[task].metric, tried[rate]["validation"]))

    def _run(
        self, kept: Kept, task: str, name: str, plan: Mapping[str, Any], rate: float, seed: int, share: float
    ) -> dict[str, Any]:
        steps = max(round(self.tasks[task].steps * share), 1)
        folder = kept.folder / task / slug(name) / f"rate_{rate:g}_seed_{seed}_steps_{steps}"
        words = [
            *self._words(task, name), *plan["words"], f"{RATE}={rate}", f"seed={seed}", "trainer.max_epochs=-1",
            f"trainer.max_steps={steps}", "trainer.log_every_n_steps=1", f"run.dir={quoted(folder)}",
            *([] if self.config_dir is None else ["--config-dir", self.config_dir]),
        ]  # fmt: skip
        run = kept(f"{task}/{slug(name)}/{folder.name}/figures", partial(train, words, folder))
        if share == 1.0 and DIVERGED in run["validation"]:
            raise MmattnError(
                f"{name} of {task} diverged in its whole training at {RATE}={rate:g}, which {self.search:.0%} of the "
                "steps did not show; give smaller comparison.rates."
            )
        return {**run, "rate": rate, "flops": plan["flops"]}


def slug(name: str) -> str:
    """A name as a folder's: letters and digits, with lines between."""
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "_"


def train(words: Sequence[str], folder: Path) -> dict[str, Any]:
    """What a training in a process of its own leaves. Raises `MmattnError` with its last words where it fails."""
    if not (folder / "results.json").is_file():
        shutil.rmtree(folder, ignore_errors=True)  # one that was stopped, within its first epoch for all we know
        child = subprocess.run([sys.executable, "-m", "mmattn", "train", *words], capture_output=True, text=True)
        if child.returncode:
            said = child.stderr.strip()
            if UNSTABLE in said:
                return {"validation": {DIVERGED: 1.0}, "test": {DIVERGED: 1.0}}
            reason = said.removeprefix("mmattn: ") or f"status {child.returncode}"
            raise MmattnError(f"{shlex.join(['mmattn', 'train', *words])}: {reason}")
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    losses = read_series(folder / "metrics.csv").get("train/batch_loss", [])
    size = max(len(losses) // BINS, 1)
    bins = [losses[at : at + size] for at in range(0, len(losses), size)]
    curve = [(each[-1][0], mean(loss for _, loss in each)) for each in bins]
    keys = ("test", "validation", "train_seconds", "steps", "tokens", "parameters", "seed")
    return {**{key: results[key] for key in keys if key in results}, "curve": curve}


def _plan(name: str, words: tuple[str, ...], target: int, tolerance: float, config_dir: str | None) -> dict[str, Any]:
    """The size of a variant, and what a step of it costs."""

    def count(more: tuple[str, ...]) -> int:
        return sum(parameter.numel() for parameter in _built((*words, *more), config_dir).task.parameters())

    own = Sized((), count(())) if not target else sized(name, count, target, tolerance)
    built = _built((*words, *own.words), config_dir)
    batch = built.data.training.batch(next(iter(built.data.training_batches)))
    operations = flops(lambda: built.task.train().evaluate(batch).loss.backward())
    data = " ".join(f"{split} {built.data.dataset(split).digest[:8]}" for split in built.data.splits)
    return {"words": list(own.words), "parameters": own.parameters, "flops": operations, "data": data}


def _built(words: Sequence[str], config_dir: str | None) -> Built:
    return build(composed(experiment(list(words)), config_dir))
