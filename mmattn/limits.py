"""Numbers of a config, refused where they are none or mean nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mmattn.errors import ConfigError


def whole(key: str, value: Any, least: int, most: int | None = None) -> None:
    """Raise `ConfigError` naming the key unless the value is a whole number from `least` to `most`."""
    if type(value) is not int or value < least or (most is not None and value > most):
        end = "" if most is None else f" and at most {most}"
        raise ConfigError(f"{key}={said(value)} must be a whole number, at least {least}{end}.")


def counts(key: str, **values: Any) -> None:
    """Raise `ConfigError` naming key.name unless each of the values, by their names, is a whole number from 1 on."""
    for name, value in values.items():
        whole(f"{key}.{name}", value, 1)


def wholes(key: str, values: Any, least: int, count: int = 1) -> tuple[int, ...]:
    """The whole numbers of a list, sorted. Raises `ConfigError` naming the key unless they are `count` at least, all of
    them different and none below `least`."""
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise ConfigError(f"{key}={said(values)} must be a list of whole numbers.")
    for value in values:
        whole(key, value, least)
    if len(values) < count or len(set(values)) < len(values):
        raise ConfigError(f"{key}={list(values)} must hold {count} or more whole numbers, all of them different.")
    return tuple(sorted(values))


def check_seed(key: str, value: Any) -> None:
    """Raise `ConfigError` naming the key unless random numbers of every library can be begun with the value."""
    whole(key, value, 0, 2**32 - 1)


def within(
    key: str,
    value: Any,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> None:
    """Raise `ConfigError` naming the key unless the value is a number that keeps to the limits given."""
    limits = {"at least": least, "above": above, "at most": most, "below": below}
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not all(limit is None or _keeps(word, value, limit) for word, limit in limits.items()):
        words = " and ".join(f"{word} {limit}" for word, limit in limits.items() if limit is not None)
        raise ConfigError(f"{key}={said(value)} must be a number {words}.")


def learning_rates(key: str, value: Any) -> tuple[float, ...]:
    """Those that a config lists. Raises `ConfigError` naming the key for what is no list of them."""
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        raise ConfigError(f"{key}={said(value)} must be a list of learning rates.")
    for rate in value:
        within(key, rate, above=0, below=math.inf)
    return tuple(value)


def said(value: Any) -> str:
    """A value as a config has it."""
    return "null" if value is None else str(value)


def _keeps(word: str, value: float, limit: float) -> bool:
    """Whether the value is `word` the limit; nothing is of NaN."""
    kept = {"at least": value >= limit, "above": value > limit, "at most": value <= limit, "below": value < limit}
    return kept[word]
