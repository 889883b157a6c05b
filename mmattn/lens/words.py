"""The words of a prompt, and the tokens that they became."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mmattn.errors import ConfigError, nearest
from mmattn.lens.heat import labels
from mmattn.sequence import PADDING
from mmattn.tokenizer import Prepared, Tokenizer

WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Word:
    """text: as it was written; keys: the places of its tokens in the sequence that layers read, prefix included."""

    text: str
    keys: tuple[int, ...]


def words_of(tokenizer: Tokenizer, prepared: Prepared, prompt: str) -> list[Word]:
    """The prompt's words in their order, each with the tokens that show it.

    Words that share their tokens (a phrase that a tokenizer knows as a whole) are one. Raises ConfigError for a
    tokenizer that does not say which characters its tokens show.
    """
    found: list[Word] = []
    for match in WORD.finditer(prompt):
        keys = tuple(tokens_of(tokenizer, prepared, match.start(), match.end()))
        if found and keys == found[-1].keys:
            found[-1] = Word(f"{found[-1].text} {match.group()}", keys)
        elif keys:
            found.append(Word(match.group(), keys))
    return found


def with_others(tokenizer: Tokenizer, prepared: Prepared, words: Sequence[Word]) -> list[Word]:
    """The words, and among them the tokens that show no character, such as prefix tokens and the begin of a text."""
    shows = [False] * tokenizer.prefix.count + (tokenizer.units(prepared) != PADDING).tolist()
    names = labels(tokenizer, prepared)
    others = [Word(name, (key,)) for key, (name, some) in enumerate(zip(names, shows, strict=True)) if not some]
    return sorted([*words, *others], key=lambda word: word.keys)


def tokens_of(tokenizer: Tokenizer, prepared: Prepared, start: int, stop: int) -> list[int]:
    """Places, prefix included, of the tokens that show the characters from `start` to before `stop`, whole or in part.

    A token shows what stands between where it begins and where the next one does.
    """
    places = [(unit, place) for place, unit in enumerate(tokenizer.units(prepared).tolist()) if unit != PADDING]
    nexts = [unit for unit, _ in places[1:]] + [stop]
    return [
        tokenizer.prefix.count + place
        for (unit, place), following in zip(places, nexts, strict=True)
        if unit < stop and start < max(following, unit + 1)
    ]


def keys_of(words: Sequence[Word], name: str, where: str) -> list[int]:
    """The tokens of each word that is written so. Raises ConfigError naming the nearest; `where` begins its message."""
    keys = [key for word in words if word.text.lower() == name.lower() for key in word.keys]
    if not keys:
        known = list(dict.fromkeys(word.text.lower() for word in words))
        raise ConfigError(f"{where}: the prompt has no word '{name}'; it has {', '.join(known)}.{nearest(name, known)}")
    return keys
