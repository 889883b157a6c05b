"""config → objects: the one way in which every verb makes its parts."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, OmegaConf

from mmattn.backbone import Backbone
from mmattn.data.datamodule import DataModule
from mmattn.errors import ConfigError, MmattnError, nearest
from mmattn.tokenizer import Tokenizer
from mmattn.trust import nodes


@dataclass(frozen=True)
class Built:
    """One tokenizer instance, shared by the data and the task."""

    data: DataModule
    tokenizer: Tokenizer
    task: Any


def build(
    config: DictConfig, state: Mapping[str, Any] | None = None, parts: Mapping[str, Mapping[str, Any]] | None = None
) -> Built:
    """data → tokenizer → backbone → head → task.

    `state` (what a run folder keeps of its tokenizer) restores the tokenizer; without it, it is fitted on the training
    split, and `parts` (`tokenizer.parts.text` → its state) are then restored. Raises `ConfigError` naming the key at
    fault.
    """
    data = build_data(config, state, parts)
    task = build_task(config, data.tokenizer, data.source.classes)
    data.labels = task.labels
    return Built(data, data.tokenizer, task)


def build_data(
    config: DictConfig, state: Mapping[str, Any] | None = None, parts: Mapping[str, Mapping[str, Any]] | None = None
) -> DataModule:
    """The data with their fitted tokenizer, which no model reads yet; see `build`."""
    tokenizer = make(config, "tokenizer")
    loader: Any = OmegaConf.to_container(config.loader, resolve=True)
    check_keys("loader", "DataModule", loader, parameters(DataModule))
    data = DataModule(make(config, "data"), tokenizer, **loader)
    if state is None:
        data.fit_tokenizer()
    else:
        tokenizer.restore_state(state)
    for name, kept in (parts or {}).items():
        part: Any = tokenizer.get_submodule(name.removeprefix("tokenizer."))
        part.restore_state(kept)
    return data


def build_task(config: DictConfig, tokenizer: Tokenizer, classes: Sequence[str] | None) -> Any:
    """The task with its backbone and head around a fitted tokenizer."""
    backbone: Backbone = make(config, "backbone")
    count = None if classes is None else len(classes)
    head, task = make(config, "head"), make(config, "task")
    with _named("head", config):
        head = head(dim=backbone.dim, tokenizer=tokenizer.modelled, classes=count)
    if getattr(task.func, "labels", None) is not None and classes is not None and len(classes) < 2:
        raise ConfigError(
            f"The training data have no class but '{', '.join(classes)}', and {task.func.__name__} tells classes "
            "apart: give samples of another one, or choose a task without labels, such as task=masked_modelling."
        )
    with _named("task", config):
        return task(tokenizer=tokenizer, backbone=backbone, head=head, classes=classes)


def make(config: DictConfig, key: str) -> Any:
    """The object that the config describes at `key` (dotted). Raises `ConfigError` naming what is wrong with it."""
    part = OmegaConf.select(config, key)
    for path, node in nodes(part, key):
        _check(path, node)
    with _named(key, config):
        return instantiate(part, _convert_="all")


@contextmanager
def _named(key: str, config: DictConfig) -> Iterator[None]:
    """Raises `ConfigError` with the key, the constructor and the reason where what the config describes fails."""
    try:
        yield
    except MmattnError:
        raise
    except Exception as error:
        inner = re.search(r"full_key: (\S+)", str(error))
        cause = error.__cause__ if isinstance(error, InstantiationException) and error.__cause__ else error
        if isinstance(cause, MmattnError):
            raise cause from None
        path = inner.group(1) if inner else key
        target = OmegaConf.select(config, f"{path}._target_")
        said = f"{type(cause).__name__}: {' '.join(str(cause).split())}"
        raise ConfigError(f"{path}{f' ({target})' if target else ''} cannot be built: {said}") from error


def _check(path: str, node: Any) -> None:
    """Keys that the constructor does not take, and values that were left open."""
    for key in node:
        if OmegaConf.is_missing(node, key):
            raise ConfigError(f"{path}.{key} has no value: give {path}.{key}=… on the command line.")
    keys = [key for key in map(str, node) if not key.startswith("_")]
    check_keys(path, node["_target_"], keys, parameters(target_of(path, node)))


def target_of(path: str, node: Any) -> Any:
    """What the node at `path` names as its constructor. Raises `ConfigError` where that cannot be imported."""
    try:
        return get_object(node["_target_"])
    except Exception as error:
        raise ConfigError(f"{path}._target_={node['_target_']} cannot be imported: {error}") from error


def check_keys(path: str, target: str, keys: Iterable[str], known: Set[str] | None) -> None:
    """Raise `ConfigError` for a key that is none of the `known`, which are those that `parameters` finds."""
    for key in keys:
        if known is not None and key not in known:
            raise ConfigError(f"{path}.{key}: {target} takes no '{key}'.{nearest(key, known)}")


def parameters(target: Any) -> set[str] | None:
    """Names that a constructor takes, through `**kwargs` up to its base classes; None where it takes any."""
    if not inspect.isclass(target):
        taken = inspect.signature(target).parameters.values()
        return None if any(each.kind is each.VAR_KEYWORD for each in taken) else {each.name for each in taken}
    names: set[str] = set()
    for cls in target.__mro__:
        if "__init__" in vars(cls):
            taken = inspect.signature(vars(cls)["__init__"]).parameters.values()
            names |= {each.name for each in taken if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)}
            if not any(each.kind is each.VAR_KEYWORD for each in taken):
                return names
    return None
