"""Every token sees every token of its document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmattn.patterns.facts import Facts
from mmattn.patterns.pattern import Pattern


@dataclass(frozen=True)
class Full(Pattern):
    """true; this is also the same-document pattern, since visibility never leaves a document."""

    def allows(self, query: Facts, key: Facts) -> Any:
        return key.order >= 0  # as it always is


SameDocument = Full
