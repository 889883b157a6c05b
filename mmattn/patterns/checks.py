"""The values that a pattern or a bias can be made with."""

from __future__ import annotations

from mmattn.errors import ConfigError


def at_least(least: int, what: str, **values: int) -> None:
    """Raises ConfigError unless every value is a whole number and not below `least`."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ConfigError(f"{what}: {name}={value!r} must be a whole number, at least {least}.")
