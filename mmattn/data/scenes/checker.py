"""Whether a picture shows what its caption asks for, point by point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from mmattn.data.scenes.grammar import Request
from mmattn.data.scenes.look import look
from mmattn.data.scenes.parse import parse
from mmattn.data.scenes.scene import Thing, relation

MOST_LOOKED_AT = 6  # of the things in a picture, the largest


@dataclass(frozen=True)
class Verdict:
    """What of a caption a picture gets right.

    count: as many things as asked for. colour, shape: all that were asked for are there. size: the sizes that the
    caption names; relation: every one; None where the caption asks for none.
    """

    count: bool
    colour: bool
    shape: bool
    size: bool | None
    relation: bool | None

    @property
    def all(self) -> bool:
        """Nothing is wrong."""
        return all(each is not False for each in (self.count, self.colour, self.shape, self.size, self.relation))


def check(picture: Any, caption: str) -> Verdict:
    """Look at a picture (as `look` takes it) and compare. Raises `ConfigError` for a caption outside the language."""
    return judge(look(picture), parse(caption))


def judge(things: Sequence[Thing], request: Request) -> Verdict:
    """Compare things seen with a request, each asked for with the thing that fits it best."""
    found = assign(things, request)
    pairs = list(zip(found, request.nouns, strict=True))
    sizes = [thing is not None and thing.size == noun.size for thing, noun in pairs if noun.size]
    relations = _relations(found, request)
    return Verdict(
        count=len(things) == len(request.nouns),
        colour=all(thing is not None and thing.colour == noun.colour for thing, noun in pairs),
        shape=all(thing is not None and thing.shape == noun.shape for thing, noun in pairs),
        size=all(sizes) if sizes else None,
        relation=all(relations) if relations else None,
    )


def assign(things: Sequence[Thing], request: Request) -> list[Thing | None]:
    """For each thing asked for the one seen that stands for it: the choice that makes most of the request true.

    None where there are fewer things than were asked for.
    """
    seen: list[Thing | None] = [*things[:MOST_LOOKED_AT], *[None] * (len(request.nouns) - len(things))]
    best = max(permutations(seen, len(request.nouns)), key=lambda found: _agreement(found, request))
    return list(best)


def _agreement(found: Sequence[Thing | None], request: Request) -> tuple[int, int]:
    """How much of what is said of things is true, and how many relations are."""
    said = 0
    for thing, noun in zip(found, request.nouns, strict=True):
        if thing is not None:
            said += 1 + 2 * (thing.colour == noun.colour) + 2 * (thing.shape == noun.shape) + (thing.size == noun.size)
    return said, sum(_relations(found, request))


def _relations(found: Sequence[Thing | None], request: Request) -> list[bool]:
    return [
        first is not None and second is not None and relation(first, second) == asked
        for first, second, asked in zip(found, found[1:], request.relations, strict=False)
    ]
