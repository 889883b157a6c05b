"""The words of a prompt, and the tokens that they became."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmattn.errors import ConfigError, nearest
from mmattn.tokenizer import Prepared, Tokenizer

WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Word:
    """text: as it was written; keys: the places of its tokens in the sequence that layers read, prefix included."""

    text: str
    keys: tuple[int, ...]


def words_of(tokenizer: Tokenizer, prepared: Prepared, prompt: str) -> list[Word]:
    """The prompt's words in their order, each with the tokens that begin in it.

    A word that shares its only token with the one before (a phrase that a tokenizer knows as a whole) joins that one.
    Raises ConfigError for a tokenizer that does not say which characters its tokens show.
    """
    units = tokenizer.units(prepared).tolist()
    found: list[Word] = []
    for match in WORD.finditer(prompt):
        keys = tuple(
            tokenizer.prefix.count + place for place, unit in enumerate(units) if match.start() <= unit < match.end()
        )
        if keys:
            found.append(Word(match.group(), keys))
        elif found:
            found[-1] = Word(f"{found[-1].text} {match.group()}", found[-1].keys)
    return found


def keys_of(words: Sequence[Word], name: str, where: str) -> list[int]:
    """The tokens of each word that is written so. Raises ConfigError naming the nearest; `where` begins its message."""
    keys = [key for word in words if word.text.lower() == name.lower() for key in word.keys]
    if not keys:
        known = list(dict.fromkeys(word.text.lower() for word in words))
        raise ConfigError(f"{where}: the prompt has no word '{name}'; it has {', '.join(known)}.{nearest(name, known)}")
    return keys
