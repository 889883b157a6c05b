"""The prefix is seen by all, the rest is causal (T5, https://arxiv.org/abs/1910.10683)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmattn.patterns.pattern import Facts, Pattern


@dataclass(frozen=True)
class PrefixLM(Pattern):
    """key ≤ query ∨ prefix(key), where `extra["prefix"]` marks the tokens of the prefix."""

    def allows(self, query: Facts, key: Facts) -> Any:
        if "prefix" not in key.extra:
            raise ValueError("the prefix-LM pattern reads info.extra['prefix'] (bool), which these tokens do not have")
        return (key.order <= query.order) | key.extra["prefix"]
