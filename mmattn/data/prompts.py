"""Prompts as a task reads them."""

from __future__ import annotations

import re
from typing import Any

from mmattn.data.source import Sample
from mmattn.errors import ConfigError, nearest
from mmattn.tokenizer import Prepared


def known(source: Any, prompt: str, key: str) -> Prepared:
    """The prompt as the tokenizer of contexts prepares it. Raises ConfigError naming words that it does not know, and
    the key or option (`--prompt`) that gave them."""
    prepared: Prepared = source.prepare(Sample("the prompt", prompt))
    unknown = getattr(source, "unknown_id", None)
    if unknown is None or not bool((prepared["ids"] == unknown).any()):
        return prepared
    places = source.units(prepared)[prepared["ids"] == unknown].tolist()
    words = [found.group() for place in places if (found := re.match(r"\w+|\S", prompt[place:]))]
    meant = "".join(nearest(word.lower(), source.vocabulary) for word in words[:1])
    raise ConfigError(f"{key}: training never showed {', '.join(map(repr, words))}.{meant}")
