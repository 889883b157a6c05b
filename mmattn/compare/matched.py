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
from typing import Any

from mmattn.cli.launch import quoted
from mmattn.compare.asked import GIVEN, RATE, asked_task, asked_words
from mmattn.compare.findings import Findings
from mmattn.compare.kept import Kept
from mmattn.compare.planned import Planner
from mmattn.compare.trained import DIVERGED, Trained, findings, worth
from mmattn.errors import ConfigError, MmattnError
from mmattn.limits import learning_rates, said, whole, within
from mmattn.report.curves import read_series

BINS = 24
"""Points of a curve, at most twice as many: each the mean of as many steps."""
UNSTABLE = "The loss is"
"""What a training says that ended for a loss that is no number."""


class Matched:
    """Trains variants of experiments with as many parameters and steps, on the same samples in the same order.

    Each variant's learning rate is the best of `rates` after `search` of the steps, by the validation's metric; the
    test is left out there. Each training is a run of `mmattn train` in a process of its own.

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
        whole("comparison.seeds", seeds, 1)
        for key, given in {"experiments": experiments, "variants": variants}.items():
            if not isinstance(given, Mapping) or not given:
                raise ConfigError(f"comparison.{key}={said(given)} must hold at least one, by its name.")
        self.rates, self.search, self.tolerance = learning_rates("comparison.rates", rates), search, tolerance
        self.finalists, self.seeds, self.config_dir = finalists, seeds, config_dir
        names = [slug(name) for name in variants]
        if len(set(names)) < len(names):
            raise ConfigError(f"comparison.variants: {', '.join(variants)} would share folders; name them apart.")
        self.tasks = {name: asked_task(name, each) for name, each in experiments.items()}
        self.words = {
            name: {variant: asked_words(variant, given, name, task) for variant, given in variants.items()}
            for name, task in self.tasks.items()
        }

    def measure(self, kept: Kept) -> Findings:
        plans = {task: self._sizes(kept, task) for task in self.tasks}  # before anything trains
        found = [Trained(task, self.tasks[task].metric, self._trained(kept, task, plans[task])) for task in self.tasks]
        return findings(found, self.tolerance)

    # -- training ---------------------------------------------------------------------------------------------------

    def _sizes(self, kept: Kept, task: str) -> dict[str, dict[str, Any]]:
        """Of each variant: the words that give it its size, its parameters, and operations a step."""
        planner = Planner(task, self.words[task], self.tasks[task].metric, self.tolerance, self.config_dir)
        plans: dict[str, dict[str, Any]] = {}
        for name in self.words[task]:
            target = next(iter(plans.values()))["parameters"] if plans else 0
            plans[name] = kept(f"{task}/{slug(name)}/size", partial(planner, name, target))
        return plans

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
            *self.words[task][name], *plan["words"],
            *(f"{key}={value}" for key, value in zip(GIVEN, (rate, seed, -1, steps, 1, quoted(folder)), strict=True)),
            *(["++trainer.limit_test_batches=0"] if steps < self.tasks[task].steps else []),
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
