"""The same experiments with one part exchanged, at the same budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mmattn.compare.asked import GIVEN, RATE, asked_task, asked_words, check_metric, slug
from mmattn.compare.findings import Findings
from mmattn.compare.kept import Kept
from mmattn.compare.planned import Planner
from mmattn.compare.trained import Trained, findings, worth
from mmattn.compare.training import train
from mmattn.composition.words import quoted
from mmattn.errors import ConfigError, Diverged, RunError
from mmattn.limits import learning_rates, said, whole, within


class Matched:
    """Trains variants of experiments with as many parameters and steps, on the same samples in the same order.

    Each variant's learning rate is the best of `rates` after `search` of the steps, by the validation's metric; the
    test is left out there. Each training is a run of `mmattn train` in a process of its own.

    Args:
        experiments: by name `{words, steps, metric}`, `less` where less of the metric is better and its name does not
            say so, and `form` where variants have several.
        variants: by name their words, or for each form theirs; the first sets the number of parameters.
        rates: learning rates. search: the share of the steps that each is tried for.
        tolerance: how far parameters may differ, as a share.
        finalists: so many of the best variants are trained `seeds` times, the others once.
        config_dir: a user's folder, as `mmattn train --config-dir` takes it.

    Raises `ConfigError` for what cannot be compared, before anything trains.
    """

    may_change = ("experiments", "variants", "rates", "search", "finalists")
    """Settings that may be others when a comparison is gone on with: each part says what it was trained with."""

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
        for name in variants:
            if not isinstance(name, str):
                raise ConfigError(f"comparison.variants has the name {said(name)}: it must be a text.")
        names = [slug(name) for name in variants]
        if len(set(names)) < len(names):
            raise ConfigError(f"comparison.variants: {', '.join(variants)} would share folders; name them apart.")
        self.tasks = {name: asked_task(name, each) for name, each in experiments.items()}
        self._seen: dict[tuple[str, int | None], tuple[str, Path]] = {}
        self.words = {
            name: {variant: asked_words(variant, given, name, task) for variant, given in variants.items()}
            for name, task in self.tasks.items()
        }

    def measure(self, kept: Kept) -> Findings:
        plans = {task: self._sizes(kept, task) for task in self.tasks}  # before anything trains
        self._seen.clear()
        found = [Trained(task, self.tasks[task], self._trained(kept, task, plans[task])) for task in self.tasks]
        return findings(found, self.tolerance)

    def _sizes(self, kept: Kept, task: str) -> dict[str, dict[str, Any]]:
        """Of each variant: the words that give it its size, its parameters, and operations a step."""
        planner = Planner(task, self.words[task], self.tolerance, self.config_dir)
        plans: dict[str, dict[str, Any]] = {}
        for name, words in self.words[task].items():
            target = next(iter(plans.values()))["parameters"] if plans else 0
            part = f"{task}/{slug(name)}/size"
            plans[name] = _kept(kept, part, words, partial(planner, name, target))
            if plans[name]["target"] != target:
                raise RunError(
                    f"{kept.folder / part}.json has the size of another first variant, {plans[name]['target']:,} "
                    f"parameters where this one has {target:,} (0: it is the first): put that one first again, or "
                    "choose another run.dir."
                )
            check_metric(task, self.tasks[task].metric, plans[name]["metrics"])
        return plans

    def _trained(self, kept: Kept, task: str, plans: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
        """By variant, a run a seed."""
        runs: dict[str, list[dict[str, Any]]] = {}
        rates = {name: self._rate(kept, task, name, plan) for name, plan in plans.items()}
        for name, plan in plans.items():
            runs[name] = [self._whole(kept, task, name, plan, rates[name], 1)]
        order = sorted(runs, key=lambda name: worth(self.tasks[task], runs[name][0]["validation"]))
        for name in order[: self.finalists]:
            seeds = range(2, self.seeds + 1)
            runs[name] += [self._whole(kept, task, name, plans[name], rates[name], seed) for seed in seeds]
        return runs

    def _rate(self, kept: Kept, task: str, name: str, plan: Mapping[str, Any]) -> float:
        if len(self.rates) == 1:
            return self.rates[0]
        steps = max(round(self.tasks[task].steps * self.search), 1)
        tried = {rate: self._run(kept, task, name, plan, rate, 1, steps) for rate in self.rates}
        left = [rate for rate, run in tried.items() if "diverged" not in run]
        if not left:
            raise Diverged(
                f"{name} of {task} diverged at all of comparison.rates within {steps} steps; add smaller ones."
            )
        return min(left, key=lambda rate: worth(self.tasks[task], tried[rate]["validation"]))

    def _whole(
        self, kept: Kept, task: str, name: str, plan: Mapping[str, Any], rate: float, seed: int
    ) -> dict[str, Any]:
        run = self._run(kept, task, name, plan, rate, seed, self.tasks[task].steps)
        if "diverged" in run:
            raise Diverged(
                f"{name} of {task} diverged with {RATE}={rate:g} and seed={seed}: leave that out of "
                "comparison.rates, and give smaller ones."
            )
        return run

    def _run(
        self, kept: Kept, task: str, name: str, plan: Mapping[str, Any], rate: float, seed: int, steps: int
    ) -> dict[str, Any]:
        folder = kept.folder / task / slug(name) / f"rate_{rate:g}_seed_{seed}_steps_{steps}"
        asked = [*self.words[task][name], *plan["words"]]
        asked += ["++trainer.limit_test_batches=0"] if steps < self.tasks[task].steps else []
        given = zip(GIVEN, (rate, seed, -1, steps, 1, quoted(folder)), strict=True)
        words = [*asked, *(f"{key}={value}" for key, value in given)]
        words += [] if self.config_dir is None else ["--config-dir", self.config_dir]
        part = f"{task}/{slug(name)}/{folder.name}/figures"
        run = _kept(kept, part, asked, partial(train, words, folder))
        if "diverged" not in run:
            self._check_data(task, None, run["names"], folder)
            self._check_data(task, seed, run["split"], folder)  # which samples are the validation's may follow the seed
        return {**run, "rate": rate, "flops": plan["flops"]}

    def _check_data(self, task: str, seed: int | None, data: str, folder: Path) -> None:
        """Raise `RunError` where other trainings, of this seed or of any, had others: files changed in the meantime."""
        first, where = self._seen.setdefault((task, seed), (data, folder))
        if data != first:
            raise RunError(
                f"{folder} was trained on other samples than {where}: the data of {task} have changed. Put them "
                "back and remove the newer of both folders, or choose another run.dir."
            )


def _kept(kept: Kept, part: str, asked: Sequence[str], measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A part that knows its words. Raises `RunError` where it was measured with others."""
    found: dict[str, Any] = kept(part, lambda: {**measure(), "asked": list(asked)})
    if found.get("asked") != list(asked):
        raise RunError(
            f"{kept.folder / part}.json was measured with {found.get('asked')}, and is asked with {list(asked)}: give "
            "it another name, or choose another run.dir."
        )
    return found
