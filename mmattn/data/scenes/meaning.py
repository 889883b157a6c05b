"""What a text says, whether or not it is a caption."""

from __future__ import annotations

from collections.abc import Hashable

from mmattn.data.scenes.parse import parse
from mmattn.errors import ConfigError


def meaning(text: str) -> Hashable:
    """Equal for captions that ask for the same picture; a text that is no caption says itself."""
    try:
        return parse(text).canonical()
    except ConfigError:
        return text
