"""What a comparison is told of its experiments and variants, refused where nothing can be trained of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mmattn.build import check_keys
from mmattn.errors import ConfigError, nearest
from mmattn.limits import said, whole

RATE = "optimizer.learning_rate"
GIVEN = (RATE, "seed", "trainer.max_epochs", "trainer.max_steps", "trainer.log_every_n_steps", "run.dir")
"""What each training is told by the comparison, and by no words of its own."""
LESS = {"loss", "error", "perplexity", "bits", "distance"}
"""Words in the names of metrics of which less is better, where an experiment does not say."""
ALL = "All"
"""The title of the table of all experiments."""


class Task(NamedTuple):
    """An experiment: its words for `mmattn train`, the steps of a whole training, the metric that ranks variants,
    whether less of it is better, and which of a variant's forms it takes."""

    words: tuple[str, ...]
    steps: int
    metric: str
    less: bool
    form: str | None = None


def asked_task(name: str, given: Any) -> Task:
    """An experiment of the config. Raises `ConfigError` naming what of it cannot be used."""
    key = f"comparison.experiments.{name}"
    if name == ALL or not isinstance(name, str) or slug(name) != name:
        raise ConfigError(f"{key}: its name is a folder's: letters, digits and _ between them, and not {ALL}.")
    if not isinstance(given, Mapping):
        raise ConfigError(f"{key}={said(given)} must hold words, steps and metric, and form where variants have some.")
    check_keys(key, "an experiment", given, set(Task._fields))
    whole(f"{key}.steps", given.get("steps"), 1)
    metric, form = given.get("metric"), given.get("form")
    if not isinstance(metric, str):
        raise ConfigError(f"{key}.metric={said(metric)} must name what ranks variants, such as accuracy or loss.")
    less = given.get("less", not LESS.isdisjoint(metric.split("_")))
    if not isinstance(less, bool):
        raise ConfigError(f"{key}.less={said(less)} must be true where less of {metric} is better, or false.")
    return Task(_words(f"{key}.words", given.get("words")), given["steps"], metric, less, form)


def check_metric(name: str, metric: str, measured: Sequence[str]) -> None:
    """Raise `ConfigError` for a metric that an experiment does not measure."""
    if metric not in measured:
        raise ConfigError(
            f"comparison.experiments.{name}.metric={metric} is not measured; known: {', '.join(measured)}."
            f"{nearest(metric, measured)}"
        )


def slug(name: str) -> str:
    """A name as a folder's: letters and digits, with lines between."""
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") or "_"


def asked_words(variant: str, given: Any, name: str, task: Task) -> tuple[str, ...]:
    """What `mmattn train` is told of a variant of an experiment. Raises `ConfigError` where it lacks its form."""
    key = f"comparison.variants.{variant}"
    if isinstance(given, Mapping):
        if task.form not in given:
            raise ConfigError(
                f"{key} has no words for {name}, whose form is {said(task.form)}; it has {', '.join(map(str, given))}."
            )
        key, given = f"{key}.{task.form}", given[task.form]
    return (*task.words, *_words(key, given))


def _words(key: str, given: Any) -> tuple[str, ...]:
    """Raises `ConfigError` for what is no list of words, and for one that the comparison would override."""
    if isinstance(given, str) or not isinstance(given, Sequence) or not all(isinstance(word, str) for word in given):
        raise ConfigError(f"{key}={said(given)} must be a list of words of `mmattn train`, such as [mixer=attention].")
    for word in given:
        if word.lstrip("+~").partition("=")[0] in GIVEN:
            raise ConfigError(f"{key} has {word}, which the comparison sets for each training; leave it out.")
    return tuple(given)
