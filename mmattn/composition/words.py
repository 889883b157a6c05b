"""Words of the command line, as Hydra takes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mmattn.errors import ConfigError


def experiment(words: Sequence[str]) -> list[str]:
    """`a=b image` → `experiment=image a=b`. Raises `ConfigError` for a second word that is no override."""
    names = [word for word in words if "=" not in word and not word.startswith("~")]
    if len(names) > 1:
        raise ConfigError(
            f"'{names[1]}' is no setting, and the experiment is '{names[0]}' already: settings are key=value words."
        )
    return [f"experiment={name}" for name in names] + [word for word in words if word not in names]


def quoted(folder: Path) -> str:
    """A path as Hydra's grammar takes it, whatever is in it."""
    text = str(folder).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"
