"""Prompts of scenes with one word swapped, and whether a picture changed as asked and in nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot
from typing import Any

import numpy

from mmattn.data.scenes import Noun, Scenes, Thing, look, mentions, parse, relation
from mmattn.data.scenes.checker import assign, judge
from mmattn.data.scenes.compose import SEEN
from mmattn.data.scenes.scene import COLOURS, SHAPES

NEAR = 0.1
"""In sides of the picture: a thing that stands no further from where it stood has stayed."""
CHOICES = {"colour": tuple(COLOURS), "shape": SHAPES}


@dataclass(frozen=True)
class Swap:
    """Two prompts that differ in one word; `thing` and `fact` say what the word says of which of the things."""

    before: str
    after: str
    thing: int
    fact: str


def swaps(count: int, seed: int = 0, most: int = 2) -> list[Swap]:
    """Captions as training has them, of one to `most` things, with a colour or a shape swapped for another one.

    No pair of a colour and a shape that training never showed is asked for, and no two things alike.
    """
    scenes, random = Scenes(train=1, validation=1, test=count, seed=seed, most=most), numpy.random.default_rng(seed)
    captions = [sample.value["text"] for sample in scenes.samples("test") or ()]
    return [_swap(caption, random) for caption in captions]


def _swap(caption: str, random: numpy.random.Generator) -> Swap:
    request, said = parse(caption), mentions(caption)
    places = [place for place, each in enumerate(said) if _fact(caption[each.start : each.stop]) in CHOICES]
    for place in random.permutation(places).tolist():
        mention = said[place]
        word, noun = caption[mention.start : mention.stop], request.nouns[mention.thing]
        fact = _fact(word)
        others = {(each.colour, each.shape) for each in request.nouns}
        made = [(other, replace(noun, **{fact: other})) for other in CHOICES[fact]]
        good = [other for other, new in made if _pair(new) in SEEN and _pair(new) not in others]
        if good:
            word = good[random.integers(len(good))]
            return Swap(caption, caption[: mention.start] + word + caption[mention.stop :], mention.thing, fact)
    raise AssertionError(f"nothing of '{caption}' can be swapped")  # a colour has at least four seen shapes


def _pair(noun: Noun) -> tuple[str, str]:
    return noun.colour, noun.shape


def _fact(word: str) -> str:
    return next((fact for fact, words in CHOICES.items() if word.lower() in words), "")


@dataclass(frozen=True)
class Change:
    """right: the first picture shows its prompt; changed: what was asked for has happened; kept: all else is as it was:
    the number of things, every other colour and shape, the relations, and where things stand (within `NEAR`)."""

    right: bool
    changed: bool
    kept: bool

    @property
    def done(self) -> bool:
        """An edit as it should be."""
        return self.right and self.changed and self.kept


def change(swap: Swap, before: Any, after: Any) -> Change:
    """Compare two pictures, as `look` takes them."""
    asked, wanted = parse(swap.before), parse(swap.after)
    first, second = look(before), look(after)
    olds, news = assign(first, asked), assign(second, wanted)
    new = news[swap.thing]
    changed = new is not None and getattr(new, swap.fact) == getattr(wanted.nouns[swap.thing], swap.fact)
    kept = len(first) == len(second) and _kept(swap, olds, news)
    return Change(judge(first, asked).all, changed, kept)


def _kept(swap: Swap, olds: Sequence[Thing | None], news: Sequence[Thing | None]) -> bool:
    for place, (old, new) in enumerate(zip(olds, news, strict=True)):
        if old is None or new is None or hypot(old.x - new.x, old.y - new.y) > NEAR:
            return False
        facts = [fact for fact in CHOICES if (place, fact) != (swap.thing, swap.fact)]
        if any(getattr(old, fact) != getattr(new, fact) for fact in facts):
            return False
    return _relations(olds) == _relations(news)


def _relations(things: Sequence[Thing | None]) -> list[str]:
    known = [thing for thing in things if thing is not None]
    return [relation(first, second) for first, second in zip(known, known[1:], strict=False)]
