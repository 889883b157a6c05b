"""The parts of a tokenizer that reads several kinds of data."""

from __future__ import annotations

from typing import Any

from mmattn.errors import ConfigError
from mmattn.tokenizer import Tokenizer


def context_of(tokenizer: Tokenizer, name: str) -> Any:
    """The part that is read while the target is made. Raises `ConfigError` where it reads the target itself, too."""
    found, target = part_of(tokenizer, name), getattr(tokenizer, "target", None)
    if target == name:
        raise ConfigError(f"task.context={name} is tokenizer.target, too: one part is made from another one.")
    if target in getattr(found, "kinds", ()):
        raise ConfigError(
            f"task.context={name} reads '{target}', which is tokenizer.target: set "
            f"tokenizer.parts.{name}.parts.{target}=null."
        )
    return found


def part_of(tokenizer: Tokenizer, name: str) -> Any:
    """The tokenizer of that name. Raises `ConfigError` where there is none, or where the tokenizer has no parts."""
    found: Any = tokenizer
    if not hasattr(found, "part"):
        kind = type(tokenizer).__name__
        raise ConfigError(f"This task reads several kinds of data, and {kind} one: set tokenizer=several.")
    return found.part(name)
