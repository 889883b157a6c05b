"""config → objects: the one way in which every verb makes its parts."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf

from mmattn.backbone import Backbone
from mmattn.data.datamodule import DataModule
from mmattn.errors import ConfigError, MmattnError, nearest
from mmattn.tokenizer import Tokenizer

# Not all of torch: torch.hub.load and torch.utils.cpp_extension.load run code that they are given.
TRUSTED = ("mmattn", "torch.nn", "torch.optim", "torchvision.transforms", "torchaudio.transforms", "timm", "lightning")


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
    tokenizer = make(config, "tokenizer")
    loader: Any = OmegaConf.to_container(config.loader, resolve=True)
    data = DataModule(make(config, "data"), tokenizer, **loader)
    if state is None:
        data.fit_tokenizer()
    else:
        tokenizer.restore_state(state)
    for name, kept in (parts or {}).items():
        part: Any = tokenizer.get_submodule(name.removeprefix("tokenizer."))
        part.restore_state(kept)
    task = build_task(config, tokenizer, data.source.classes)
    data.labels = task.labels
    return Built(data, tokenizer, task)


def build_task(config: DictConfig, tokenizer: Tokenizer, classes: Sequence[str] | None) -> Any:
    """The task with its backbone and head around a fitted tokenizer."""
    backbone: Backbone = make(config, "backbone")
    head = make(config, "head")(
        dim=backbone.dim, tokenizer=tokenizer.modelled, classes=None if classes is None else len(classes)
    )
    task = make(config, "task")
    if getattr(task.func, "labels", None) is not None and classes is not None and len(classes) < 2:
        raise ConfigError(
            f"The training data have no class but '{', '.join(classes)}', and {task.func.__name__} tells classes "
            "apart: give samples of another one, or choose a task without labels, such as task=masked_modelling."
        )
    return task(tokenizer=tokenizer, backbone=backbone, head=head, classes=classes)


def make(config: DictConfig, key: str) -> Any:
    """The object that the config describes at `key` (dotted). Raises `ConfigError` naming what is wrong with it."""
    part = OmegaConf.select(config, key)
    for path, node in _nodes(part, key):
        _check(path, node)
    try:
        return instantiate(part, _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, MmattnError):
            raise cause from None
        raise ConfigError(f"{key} cannot be built: {cause or error}") from error


def check_targets(config: DictConfig, also: Sequence[str] = ()) -> None:
    """Refuse a stored config that names a constructor outside `TRUSTED` and `also`: it could carry an attack."""
    for path, node in _nodes(config, ""):
        if not _comes_from(str(node["_target_"]), (*TRUSTED, *also)):
            raise ConfigError(
                f"{path}._target_={node['_target_']} is not trusted in a run folder; if it is yours, name the folder "
                "that holds it: --config-dir DIR."
            )


def _comes_from(target: str, packages: Sequence[str]) -> bool:
    """True where a target is named in one of the packages and made there: `mmattn.run.subprocess.run` is not."""
    prefixes = tuple(f"{name}." for name in packages)
    if not target.startswith(prefixes):
        return False
    try:
        found = get_object(target)
    except Exception:  # `make` says why it cannot be imported
        return True
    return f"{getattr(found, '__module__', None)}.".startswith(prefixes)


def _nodes(node: Any, path: str) -> list[tuple[str, Any]]:
    found = []
    if isinstance(node, DictConfig):
        if "_target_" in node:
            found.append((path, node))
        for key in node:
            if not OmegaConf.is_missing(node, key):
                found += _nodes(node[key], f"{path}.{key!s}".lstrip("."))
    elif isinstance(node, ListConfig):
        for index, each in enumerate(node):
            found += _nodes(each, f"{path}[{index}]")
    return found


def _check(path: str, node: Any) -> None:
    """Keys that the constructor does not take, and values that were left open."""
    for key in node:
        if OmegaConf.is_missing(node, key):
            raise ConfigError(f"{path}.{key} has no value: give {path}.{key}=… on the command line.")
    try:
        target = get_object(node["_target_"])
    except Exception as error:
        raise ConfigError(f"{path}._target_={node['_target_']} cannot be imported: {error}") from error
    known = parameters(target)
    if known is not None:
        for key in node:
            if not str(key).startswith("_") and key not in known:
                raise ConfigError(f"{path}.{key}: {node['_target_']} takes no '{key}'.{nearest(str(key), known)}")


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
