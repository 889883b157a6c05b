"""Captions that nearly say what a picture shows: of the same words, where things allow it, and wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

import numpy

from mmattn.data.scenes.compose import HELD_OUT, Pair
from mmattn.data.scenes.grammar import OPPOSITE, SAID_SIZES, Noun, Request, same_request, say
from mmattn.data.scenes.parse import parse
from mmattn.data.scenes.scene import COLOURS, SHAPES

CHOICES = {"colour": tuple(COLOURS), "shape": SHAPES, "size": ("", *SAID_SIZES)}


def swapped(caption: str, random: numpy.random.Generator) -> str:
    """A caption that asks for another picture: two things have exchanged their colours, shapes or sizes, or a relation
    is another one; a single thing has another colour, shape or size."""
    request = parse(caption)
    near = _exchanged(request) if request.relations else _changed(request)
    unseen = set(HELD_OUT) - _pairs(request)  # as no split has them, a caption with one would be known to be wrong
    wrong = [each for each in near if not same_request(each, request) and not unseen & _pairs(each)]
    return say(wrong[random.integers(len(wrong))], random)


def _pairs(request: Request) -> set[Pair]:
    return {(noun.colour, noun.shape) for noun in request.nouns}


def _exchanged(request: Request) -> Iterator[Request]:
    for place in range(len(request.relations)):
        for relation in OPPOSITE:  # its own is left out with all that ask for the same
            yield replace(request, relations=(*request.relations[:place], relation, *request.relations[place + 1 :]))
    for first, second in combinations(range(len(request.nouns)), 2):
        for fact in CHOICES:
            nouns = list(request.nouns)
            one, other = nouns[first], nouns[second]
            nouns[first] = replace(one, **{fact: getattr(other, fact)})
            nouns[second] = replace(other, **{fact: getattr(one, fact)})
            yield replace(request, nouns=tuple(nouns))


def _changed(request: Request) -> Iterator[Request]:
    noun: Noun = request.nouns[0]
    for fact, choices in CHOICES.items():
        for choice in choices:
            yield replace(request, nouns=(replace(noun, **{fact: choice}),))
