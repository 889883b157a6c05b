"""The prefix is seen by all, the rest is causal (T5, https://arxiv.org/abs/1910.10683)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmattn.errors import ConfigError
from mmattn.patterns.facts import Facts
from mmattn.patterns.pattern import Pattern


@dataclass(frozen=True)
class PrefixLM(Pattern):
    """key ≤ query ∨ prefix(key), where `extra["prefix"]` marks the tokens of the prefix."""

    def allows(self, query: Facts, key: Facts) -> Any:
        if "prefix" not in key.extra:
            raise ConfigError(
                "pattern=prefix_lm reads info.extra['prefix'], which says what tokens are the prefix, and these tokens "
                "do not have it: set task=language_modelling and task.prefix=0.5, or another pattern."
            )
        return (key.order <= query.order) | key.extra["prefix"]
