"""Prompts as a task reads them."""

from __future__ import annotations

import re
from typing import Any

from mmattn.data.source import Sample
from mmattn.errors import ConfigError, nearest
from mmattn.tokenizer import Prepared

FEW = 40
"""Words that a message lists at most."""


def known(source: Any, prompt: str, key: str) -> Prepared:
    """The prompt as the tokenizer of contexts prepares it; `key`: the option (`--prompt`) that gave it.

    Raises ConfigError naming the words that it does not know, and for each the nearest that it knows.
    """
    prepared: Prepared = source.prepare(Sample("the prompt", prompt))
    unknown = getattr(source, "unknown_id", None)
    if unknown is None or not bool((prepared["ids"] == unknown).any()):
        return prepared
    places = source.units(prepared)[prepared["ids"] == unknown].tolist()
    words = [found.group() for place in places if (found := re.match(r"\w+|\S", prompt[place:]))]
    vocabulary = [word for index, word in enumerate(source.vocabulary) if index not in source.special_ids]
    meant = "".join(dict.fromkeys(nearest(word.lower(), vocabulary) for word in words))
    if not meant and len(vocabulary) <= FEW:
        meant = f" It knows: {', '.join(vocabulary)}."
    raise ConfigError(f"{key}: training never showed {', '.join(map(repr, words))}.{meant}")
