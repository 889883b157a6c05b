"""The parts of a tokenizer that reads several kinds of data."""

from __future__ import annotations

from typing import Any

from mmattn.errors import ConfigError
from mmattn.tokenizer import Tokenizer


def part_of(tokenizer: Tokenizer, name: str) -> Any:
    """The tokenizer of that name. Raises `ConfigError` where there is none, or where the tokenizer has no parts."""
    found: Any = tokenizer
    if not hasattr(found, "part"):
        kind = type(tokenizer).__name__
        raise ConfigError(f"This task reads several kinds of data, and {kind} one: set tokenizer=several.")
    return found.part(name)
