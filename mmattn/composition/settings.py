"""What a config holds besides its parts, refused where no run can be made of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from omegaconf import DictConfig, ListConfig

from mmattn.errors import ConfigError, nearest
from mmattn.limits import check_seed, said

PARTS = ("data", "tokenizer", "backbone", "head", "task", "trainer")


def check_settings(config: DictConfig, keys: Collection[str]) -> None:
    """Raise `ConfigError` for a top-level key that is none of `keys` or misses, and for a value that cannot be used."""
    for key in map(str, config):
        if key not in keys:
            raise ConfigError(f"The config has no key '{key}'.{nearest(key, keys)}")
    for key in keys:
        if key not in config:
            raise ConfigError(f"The config lacks '{key}', which every run needs: leave out ~{key}.")
    for key in PARTS:
        if not isinstance(config[key], DictConfig) or "_target_" not in config[key]:
            raise ConfigError(f"{key} names no constructor: choose one by {key}=NAME, or give {key}._target_.")
    for key in ("loader", "run"):
        check_holds(key, config[key])
    for key in ("callbacks", "loggers"):
        if config[key] is not None and not isinstance(config[key], DictConfig):
            raise ConfigError(f"{key}={said(config[key])} must hold names with a _target_ each, as in conf/{key}.")
        for name, each in (config[key] or {}).items():
            # What an experiment sets of one that is left out.
            if isinstance(each, DictConfig) and "_target_" not in each:
                named = f"{key}.{name}"
                raise ConfigError(f"{named} has no _target_: choose {key}={name}, or leave it out by ~{named}.")
    if not isinstance(config.name, str) or not config.name:
        raise ConfigError(f"name={said(config.name)} must be a text: the run's name, for its folder and its report.")
    check_seed("seed", config.seed)
    check_path("run.dir", config.run.get("dir"))
    check_path("init_from", config.init_from)
    parts = config.init_parts
    if not isinstance(parts, ListConfig) or not all(isinstance(part, str) for part in parts):
        raise ConfigError(f"init_parts={said(parts)} must be a list, such as [backbone] or [tokenizer,backbone].")


def check_holds(key: str, value: Any) -> None:
    """Raise `ConfigError` for what holds no settings."""
    if not isinstance(value, DictConfig):
        raise ConfigError(f"{key}={said(value)} must hold settings: give those that differ, as {key}.NAME=….")


def check_path(key: str, value: Any) -> None:
    """Raise `ConfigError` for what is neither a path nor null."""
    if value is not None and (not isinstance(value, str) or not value):
        raise ConfigError(f"{key}={value} must be a path, or null; for a folder of that name write {key}=./{value}.")
