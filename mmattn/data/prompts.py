"""Prompts as a task reads them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from mmattn.data.source import Sample
from mmattn.errors import ConfigError, nearest
from mmattn.tokenizer import Prepared

FEW = 40
"""Words that a message lists at most."""


def known(source: Any, prompt: Sample) -> Prepared:
    """The prompt, named by the key or option (`--prompt`) that gave it, as the tokenizer of contexts prepares it.

    Raises ConfigError for a text where it reads no texts, and naming the words that it does not know, with the nearest
    that it knows.
    """
    kinds = getattr(source, "kinds", {})
    if kinds and isinstance(prompt.value, str):
        raise ConfigError(
            f"{prompt.name} is one text, and this run reads {', '.join(kinds)} together: give --prompt-file, a json "
            f"file such as {json.dumps(dict.fromkeys(kinds, '…'), ensure_ascii=False)}."
        )
    if isinstance(prompt.value, str) and source.vocabulary is None:
        raise ConfigError(
            f"{prompt.name} is a text, and this run reads no texts ({type(source).__name__}); `mmattn generate` takes "
            "a file, too: --prompt-file."
        )
    for name, part in kinds.items():
        if part.vocabulary is not None:
            known(part, replace(prompt, value=prompt.value[name]))
    prepared: Prepared = source.prepare(prompt)
    unknown = getattr(source, "unknown_id", None)
    if unknown is None or not bool((prepared["ids"] == unknown).any()):
        return prepared
    places = source.units(prepared)[prepared["ids"] == unknown].tolist()
    words = [found.group() for place in places if (found := re.match(r"\w+|.", prompt.value[place:], re.DOTALL))]
    vocabulary = [word for index, word in enumerate(source.vocabulary) if index not in source.special_ids]
    meant = "".join(dict.fromkeys(nearest(word.lower(), vocabulary) for word in words))
    if not meant and len(vocabulary) <= FEW:
        meant = f" It knows: {', '.join(vocabulary)}."
    rarely = " often enough to learn it" if getattr(source, "least", 1) > 1 else ""
    raise ConfigError(f"{prompt.name}: training never showed {', '.join(map(repr, words))}{rarely}.{meant}")
