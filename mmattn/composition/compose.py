"""Command-line words → a composed config, with errors that name the nearest valid key or choice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from itertools import takewhile
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from mmattn.build import parameters, target_of
from mmattn.composition.settings import check_holds, check_path, check_settings
from mmattn.composition.unread import check_pattern, check_pattern_read
from mmattn.composition.user_folder import bring
from mmattn.errors import ConfigError, nearest
from mmattn.limits import whole

COMPARISON = ("name", "root", "seeds", "run", "pattern", "comparison")
"""Top-level keys of a comparison's config."""


def choices(group: str, config_dir: str | None = None) -> list[str]:
    """Names of a config group's files, ours and those of `--config-dir`."""
    folders = [Path(str(resources.files("mmattn.conf") / group))] + ([Path(config_dir) / group] if config_dir else [])
    return sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})


def claim(name: str, config_dirs: Sequence[str] = (), group: str = "experiment") -> str:
    """The comment that opens an experiment's file: what it shows, and where that comes from."""
    folders = [*map(Path, config_dirs), Path(str(resources.files("mmattn.conf")))]
    paths = [folder / group / f"{name}.yaml" for folder in folders]
    lines = next((path.read_text(encoding="utf-8").splitlines() for path in paths if path.is_file()), [])
    head = list(takewhile(lambda line: line.startswith("#"), lines))
    out, command = "", False
    for line in (line[1:] for line in head if "@package" not in line):
        before, command = command, line.startswith("  ")
        full = len(out.rpartition("\n")[2]) > 90 and not before and not command  # goes on in the next line
        out += (" " if full else "\n") + line.strip()
    return out.strip()


def composed(overrides: Sequence[str], config_dir: str | None = None) -> DictConfig:
    """The config of a run that these overrides select. Raises `ConfigError`."""
    config = _composed("config", overrides, config_dir)
    check_settings(config, _keys())
    check_pattern(config, overrides)
    return config


def composed_comparison(name: str, overrides: Sequence[str], config_dir: str | None = None) -> DictConfig:
    """The config of a comparison, with its settings. Raises `ConfigError`."""
    config = _composed("comparison", [f"compare={name}", *overrides], config_dir)
    for key in map(str, config):
        if key not in COMPARISON:
            if key == "compare":
                raise ConfigError(f"The file of {name} lacks its first line: # @package _global_")
            raise ConfigError(f"A comparison has no key '{key}'.{nearest(key, COMPARISON)}")
    for key in ("name", "seeds", "run"):
        if key not in config:
            raise ConfigError(f"The config lacks '{key}', which every comparison needs: leave out ~{key}.")
    if not isinstance(config.get("comparison"), DictConfig) or "_target_" not in config.comparison:
        raise ConfigError(f"{name} has no comparison._target_, whose `measure(kept)` is the comparison: give it one.")
    if OmegaConf.is_missing(config, "root"):
        raise ConfigError(f"{name} reads data from a folder: give root=DIR; its file says what belongs there.")
    whole("seeds", config.seeds, 1)
    check_holds("run", config.run)
    check_path("run.dir", config.run.get("dir"))
    check_pattern_read(config.comparison, overrides)
    folder, _ = bring(config_dir)
    if folder is not None and "config_dir" in (parameters(target_of("comparison", config.comparison)) or ()):
        with open_dict(config.comparison):
            config.comparison.config_dir = str(folder)  # its trainings are processes of their own
    return config


def _composed(root: str, overrides: Sequence[str], config_dir: str | None) -> DictConfig:
    folder, _ = bring(config_dir)
    searched = [] if folder is None else [f"hydra.searchpath=[file://{folder}]"]
    GlobalHydra.instance().clear()
    Plugins.instance()
    try:
        with initialize_config_module("mmattn.conf", version_base="1.3"):
            return compose(root, overrides=[*overrides, *searched])
    except (HydraException, OmegaConfBaseException, ValueError) as error:  # Hydra's for a group that is null
        raise ConfigError(_explained(str(error), overrides, config_dir, root)) from error


@cache
def _keys() -> tuple[str, ...]:
    """Top-level keys of the config."""
    with initialize_config_module("mmattn.conf", version_base="1.3"):
        return tuple(map(str, compose("config")))


def checked_sweep(overrides: Sequence[str], config_dir: str | None = None) -> None:
    """Compose each value of a sweep's overrides (`seed=0,1`) once. Raises `ConfigError` before any run begins."""
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(str(error).split("\n")[0]) from error
    values: list[list[str]] = []
    for word, override in zip(overrides, parsed, strict=True):
        if override.is_discrete_sweep():
            values.append([f"{override.get_key_element()}={value}" for value in override.sweep_string_iterator()])
        elif not override.is_sweep_override():
            values.append([word])
    composed([first for first, *_ in values], config_dir)
    for place, (_, *others) in enumerate(values):
        for other in others:
            composed([other if i == place else first for i, (first, *_) in enumerate(values)], config_dir)


def _explained(message: str, overrides: Sequence[str], config_dir: str | None, root: str) -> str:
    missing = re.search(r"Could not find '([\w/]+)/([\w.-]+)'", message)
    if missing:
        group, name = missing.groups()
        known = choices(group, config_dir)
        return f"There is no {group} '{name}'.{nearest(name, known)} Choices: {', '.join(known)}."
    for group, _, value in (word.partition("=") for word in overrides):
        if value in ("", "null") and choices(group, config_dir):
            return f"{group}={value} chooses nothing: choose one of {', '.join(choices(group, config_dir))}."
    unknown = re.search(r"Could not override '([^']+)'", message)
    if unknown:
        key = unknown.group(1)
        meant = _nearest_key(key, overrides, root)
        if f"'{key}'" in meant:  # the key is there, and the value has entries that it lacks
            return f"'{key}' has other entries; to add one write +{key}.NAME=…."
        inside = "." in key and key.split(".")[0] in _keys()
        own = f" To give one that only its constructor knows, write +{key}=…." if inside else ""
        return f"The config has no key '{key}'.{meant}{own}"
    return " ".join(message.split("\n")[:2])


def _nearest_key(key: str, overrides: Sequence[str], root: str) -> str:
    """The nearest valid key of the config that the other words select."""
    others = [word for word in overrides if not word.startswith(key) and "." not in word.split("=")[0]]
    try:
        with initialize_config_module("mmattn.conf", version_base="1.3"):
            config = compose(root, overrides=others)
    except HydraException:
        return ""
    keys: list[str] = []
    open_nodes: list[tuple[str, Any]] = [("", OmegaConf.to_container(config))]
    while open_nodes:
        prefix, node = open_nodes.pop()
        for name, value in node.items():
            keys.append(f"{prefix}{name}")
            if isinstance(value, dict):
                open_nodes.append((f"{prefix}{name}.", value))
    return nearest(key, keys)
