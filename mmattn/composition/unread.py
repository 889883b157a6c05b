"""A pattern that is chosen for a run in which nothing has one: it would be left out without a word."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from mmattn.composition.settings import PARTS
from mmattn.errors import ConfigError

CHOSEN = re.compile(r"\+{0,2}pattern[.=]")
"""How a word begins that chooses a pattern, or changes it."""


def check_pattern(config: DictConfig, words: Sequence[str]) -> None:
    """Raise `ConfigError` where one of the words is about the pattern, and no part that a run is made of reads it."""
    chosen = _chosen(words)
    if chosen is None or reads_pattern(config):
        return
    if "pattern" in (config.mixer or {}):
        raise ConfigError(
            f"{chosen} changes nothing: the layers of this run have patterns of their own, or none. Leave it out, or "
            "set backbone.mixers.NAME.pattern."
        )
    name = str(OmegaConf.select(config, "mixer._target_")).rpartition(".")[2]
    raise ConfigError(
        f"{chosen} changes nothing: mixer={name} has no pattern, nor has another part of this run. Leave it out, or "
        "choose a mixer that has one, such as mixer=attention."
    )


def check_pattern_read(comparison: DictConfig, words: Sequence[str]) -> None:
    """Raise `ConfigError` where one of the words is about the pattern, and the comparison does not read it."""
    chosen = _chosen(words)
    if chosen is not None and "${pattern}" not in str(OmegaConf.to_container(comparison, resolve=False)):
        raise ConfigError(f"{chosen} changes nothing: what is compared has patterns of its own, or none. Leave it out.")


def _chosen(words: Sequence[str]) -> str | None:
    return next((word for word in words if CHOSEN.match(word)), None)


def reads_pattern(config: DictConfig) -> bool:
    """Whether what a run is made of refers to `${pattern}`, be it through other keys."""
    written: Any = OmegaConf.to_container(config, resolve=False)
    reached, ahead = set(PARTS), list(PARTS)
    while ahead:
        found = set(re.findall(r"\$\{\.*(\w+)", str(written.get(ahead.pop())))) - reached
        reached |= found
        ahead += found
    return "pattern" in reached
