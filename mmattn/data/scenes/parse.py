"""Captions read back: what a caption asks for, and which of its words name which thing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mmattn.data.scenes.grammar import SAID_SIZES, WORDINGS, WORDS, Noun, Request
from mmattn.data.scenes.scene import COLOURS, MOST, SHAPES
from mmattn.errors import ConfigError, nearest


@dataclass(frozen=True)
class Mention:
    """Characters `start` to `stop` of a caption are a word that says something of thing number `thing`."""

    start: int
    stop: int
    thing: int


def parse(caption: str) -> Request:
    """What must be seen. Case and double spaces do not matter; "a small circle" without a colour is not understood.

    Raises `ConfigError` for a word outside the language, with the nearest one, and for words in another order.
    """
    return _Reader(caption).read()


def mentions(caption: str) -> list[Mention]:
    """The words for sizes, colours and shapes, in order. Raises `ConfigError` as `parse` does."""
    reader = _Reader(caption)
    reader.read()
    return reader.mentions


class _Reader:
    """Goes over the words of a caption once, from left to right."""

    def __init__(self, caption: str) -> None:
        self.caption, self.place, self.mentions = caption, 0, list[Mention]()
        self.words = [(found[0].lower(), found.start(), found.end()) for found in re.finditer(r"\S+", caption)]
        for word, _, _ in self.words:
            if word not in WORDS:
                known = ", ".join(WORDS)
                raise ConfigError(
                    f"caption '{caption}': '{word}' is none of its words ({known}).{nearest(word, WORDS)}"
                )

    def read(self) -> Request:
        nouns, relations = [self.noun(0)], []
        while self.place < len(self.words):
            relations.append(self.relation())
            nouns.append(self.noun(len(nouns)))
        if len(nouns) > MOST:
            raise ConfigError(f"caption '{self.caption}' names {len(nouns)} things: name at most {MOST}.")
        return Request(tuple(nouns), tuple(relations))

    def noun(self, thing: int) -> Noun:
        self.take("'a'", ["a"])
        size = self.take("a size", SAID_SIZES, thing) if self.next() in SAID_SIZES else ""
        return Noun(self.take("a colour", COLOURS, thing), self.take("a shape", SHAPES, thing), size)

    def relation(self) -> str:
        for name, wordings in WORDINGS.items():
            for said in wordings:
                words = said.split()
                if [word for word, _, _ in self.words[self.place : self.place + len(words)]] == words:
                    self.place += len(words)
                    return name
        raise self.error("'left of', 'right of', 'above' or 'below'")

    def next(self) -> str:
        return self.words[self.place][0] if self.place < len(self.words) else ""

    def take(self, expected: str, choices: Iterable[str], thing: int | None = None) -> str:
        if self.next() not in choices:
            raise self.error(expected)
        word, start, stop = self.words[self.place]
        self.place += 1
        if thing is not None:
            self.mentions.append(Mention(start, stop, thing))
        return word

    def error(self, expected: str) -> ConfigError:
        found = f"'{self.next()}'" if self.next() else "the end"
        after = f" after '{self.words[self.place - 1][0]}'" if self.place else ""
        return ConfigError(
            f"caption '{self.caption}': {found} stands{after} where {expected} should; "
            "write it like 'a small red circle left of a blue square'."
        )
