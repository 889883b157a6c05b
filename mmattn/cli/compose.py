"""Command-line words → a composed config, with errors that name the nearest valid key or choice."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from hydra import compose, initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from mmattn.errors import ConfigError, nearest


def choices(group: str, config_dir: str | None = None) -> list[str]:
    """Names of a config group's files, ours and those of `--config-dir`."""
    folders = [Path(str(resources.files("mmattn.conf") / group))] + ([Path(config_dir) / group] if config_dir else [])
    return sorted({path.stem for folder in folders for path in folder.glob("*.yaml")})


def composed(overrides: Sequence[str], config_dir: str | None = None) -> DictConfig:
    """The config that these overrides select. Raises `ConfigError`."""
    searched = []
    if config_dir is not None:
        folder = Path(config_dir).expanduser().resolve()
        if not folder.is_dir():
            raise ConfigError(f"--config-dir {config_dir}: there is no such folder.")
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
        searched = [f"hydra.searchpath=[file://{folder}]"]
    GlobalHydra.instance().clear()
    Plugins.instance()
    try:
        with initialize_config_module("mmattn.conf", version_base="1.3"):
            config = compose("config", overrides=[*overrides, *searched])
            base = compose("config")
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(_explained(str(error), overrides, config_dir)) from error
    for key in config:
        if key not in base:
            raise ConfigError(f"The config has no key '{key}'.{nearest(str(key), [str(each) for each in base])}")
    return config


def _explained(message: str, overrides: Sequence[str], config_dir: str | None) -> str:
    missing = re.search(r"Could not find '([\w/]+)/([\w.-]+)'", message)
    if missing:
        group, name = missing.groups()
        known = choices(group, config_dir)
        return f"There is no {group} '{name}'.{nearest(name, known)} Choices: {', '.join(known)}."
    unknown = re.search(r"Could not override '([^']+)'", message)
    if unknown:
        return f"The config has no key '{unknown.group(1)}'.{_nearest_key(unknown.group(1), overrides)}"
    return " ".join(message.split("\n")[:2])


def _nearest_key(key: str, overrides: Sequence[str]) -> str:
    """The nearest valid key of the config that the other words select."""
    others = [word for word in overrides if not word.startswith(key) and word.startswith("experiment=")]
    try:
        with initialize_config_module("mmattn.conf", version_base="1.3"):
            config = compose("config", overrides=others)
    except HydraException:
        return ""
    keys, open_nodes = [], [("", OmegaConf.to_container(config))]
    while open_nodes:
        prefix, node = open_nodes.pop()
        for name, value in node.items():
            keys.append(f"{prefix}{name}")
            if isinstance(value, dict):
                open_nodes.append((f"{prefix}{name}.", value))
    return nearest(key, keys)
