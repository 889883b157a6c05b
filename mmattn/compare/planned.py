"""The variants of an experiment before anything trains: the same but for a part of the model, and of the same size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from omegaconf import DictConfig, OmegaConf

from mmattn.build import build_data, build_task, make
from mmattn.compare.budget import RATIO, Sized, sized
from mmattn.compare.flops import flops
from mmattn.composition.compose import composed
from mmattn.composition.words import experiment
from mmattn.data.datamodule import DataModule
from mmattn.errors import ConfigError
from mmattn.tokenizer import Batch

SHARED = (
    "data", "tokenizer", "loader", "trainer", "task", "optimizer", "schedule", "callbacks", "init_from", "init_parts",
)  # fmt: skip
"""Parts of the config that make the samples, their order, the training and its measure: the same for all variants."""


class Planner:
    """Plans the variants of one experiment, for which its data are prepared once, when they are first needed.

    Args:
        task: the experiment's name.
        words: of each variant, what `mmattn train` is told; the first sets the number of parameters.
        tolerance, config_dir: see `Matched`.
    """

    def __init__(
        self,
        task: str,
        words: Mapping[str, Sequence[str]],
        tolerance: float,
        config_dir: str | None = None,
    ) -> None:
        self.task, self.words, self.tolerance = task, words, tolerance
        self.config_dir = config_dir
        self.first = next(iter(words))
        self._batch: Batch | None = None
        self._composed: dict[tuple[str, ...], DictConfig] = {}

    def __call__(self, name: str, target: int) -> dict[str, Any]:
        """The words that give a variant `target` parameters (0: its own), these, `target`, the operations of a step,
        and the metrics of its validation.

        Raises `ConfigError` where it differs from the first in more than its model.
        """
        with _said_of(f"comparison.variants.{name} of {self.task}"):
            self._check_shared(name)
        with _said_of(f"comparison.experiments.{self.task}"):
            _ = self._data  # what is wrong with them is no variant's fault
        with _said_of(f"comparison.variants.{name} of {self.task}"):
            own, parameters = self._sized(name, target)
            model = self._model(name, own)
            model.setup("fit")  # where a task tries whether its backbone sees what it is to guess
        batch = self._first_batch(model)
        operations = flops(lambda: model.train().evaluate(batch).loss.backward())
        metrics = sorted(name.split("/")[1] for name in model.measured if name.startswith("validation/"))
        size = {"words": list(own), "parameters": parameters, "target": target}
        return {**size, "flops": operations, "metrics": metrics}

    def _sized(self, name: str, target: int) -> Sized:
        def count(more: Sequence[str]) -> int:
            if more and OmegaConf.select(self._config(name), RATIO) is None:
                raise ConfigError(
                    f"it has {count(()):,} parameters and the first variant {target:,}, and no {RATIO} to make up for "
                    "it: give it words that do, such as backbone.dim or the mixer's width, or leave it its MLPs."
                )
            return sum(parameter.numel() for parameter in self._model(name, more).parameters())

        return sized(count, target, self.tolerance) if target else Sized((), count(()))

    @cached_property
    def _data(self) -> DataModule:
        return build_data(self._config(self.first))

    def _first_batch(self, model: Any) -> Batch:
        """The first of the training; its labels are the task's, which all variants share."""
        if self._batch is None:
            self._data.labels = model.labels
            self._batch = self._data.training.batch(next(iter(self._data.training_batches)))
        return self._batch

    def _config(self, name: str, more: Sequence[str] = ()) -> DictConfig:
        words = (*self.words[name], *more)
        if words not in self._composed:
            self._composed[words] = composed(experiment(words), self.config_dir)
        return self._composed[words]

    def _model(self, name: str, more: Sequence[str]) -> Any:
        """A variant's task, whose tokenizer, of another width perhaps, knows what the first one's was fitted on."""
        config = self._config(name, more)
        tokenizer = make(config, "tokenizer")
        tokenizer.restore_state(dict(self._data.tokenizer.state()))
        return build_task(config, tokenizer, self._data.source.classes)

    def _check_shared(self, name: str) -> None:
        # Not resolved: the width of a tokenizer follows the backbone's, and the loader's seed that of each training.
        written: Any = [OmegaConf.to_container(self._config(each), resolve=False) for each in (self.first, name)]
        first, own = ({key: each[key] for key in SHARED} for each in written)
        for path, theirs, its in differences(first, own):
            raise ConfigError(
                f"it has {path}={its} and the first variant {theirs}: variants "
                f"exchange parts of the model alone; set it in comparison.experiments.{self.task}.words, for all."
            )


@contextmanager
def _said_of(key: str) -> Iterator[None]:
    """Puts the key before what a `ConfigError` says."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{key}: {error}") from error


def differences(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, value, other value) of what differs in two configs; a value that misses is said to be `nothing`."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        if one != other:
            yield path, one, other
        return
    for key in {**one, **other}:
        inner = f"{path}.{key}" if path else str(key)
        yield from differences(one.get(key, "nothing"), other.get(key, "nothing"), inner)
