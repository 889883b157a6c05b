"""The language of captions: `a small red circle left of a blue square`, and what such a caption asks for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy

from mmattn.data.scenes.scene import COLOURS, SHAPES, SIZES, Scene, relation

SAID_SIZES = tuple(size for size in SIZES if size != "medium")
WORDINGS = {
    "left": ("left of", "to the left of"),
    "right": ("right of", "to the right of"),
    "above": ("above",),
    "below": ("below",),
}
OPPOSITE = {"left": "right", "right": "left", "above": "below", "below": "above"}
WORDS = ("a", *SAID_SIZES, *COLOURS, *SHAPES, "to", "the", "left", "right", "of", "above", "below")


@dataclass(frozen=True, order=True)
class Noun:
    """What a caption says of a thing; `size` is empty where it says none."""

    colour: str
    shape: str
    size: str = ""


@dataclass(frozen=True)
class Request:
    """What a caption asks for: things, and the relation of each to the next (one fewer)."""

    nouns: tuple[Noun, ...]
    relations: tuple[str, ...] = ()

    def canonical(self) -> tuple[object, ...]:
        """Equal for two captions of one meaning: `A left of B` and `B right of A`."""
        turned = Request(self.nouns[::-1], tuple(OPPOSITE[each] for each in self.relations[::-1]))
        return min((each.nouns, each.relations) for each in (self, turned))


def same_request(first: Request, second: Request) -> bool:
    """Whether two captions ask for the same picture."""
    return first.canonical() == second.canonical()


def asked(scene: Scene) -> Request:
    """What a scene is described by."""
    nouns = tuple(
        Noun(thing.colour, thing.shape, thing.size if thing.size in SAID_SIZES else "") for thing in scene.things
    )
    return Request(nouns, tuple(map(relation, scene.things, scene.things[1:])))


def caption(scene: Scene, random: numpy.random.Generator) -> str:
    """Words for a scene, things in their order; which of the wordings of a relation is drawn."""
    return say(asked(scene), random)


def say(request: Request, random: numpy.random.Generator) -> str:
    """Words for a request; which of the wordings of a relation is drawn."""
    words = [_noun(request.nouns[0])]
    for name, noun in zip(request.relations, request.nouns[1:], strict=True):
        wordings = WORDINGS[name]
        words += [wordings[random.integers(len(wordings))], _noun(noun)]
    return " ".join(words)


def _noun(noun: Noun) -> str:
    return " ".join(filter(None, ["a", noun.size, noun.colour, noun.shape]))
