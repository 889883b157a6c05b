"""Scenes drawn at random: which things, how large, and where they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy

from mmattn.data.scenes.scene import COLOURS, SHAPES, SIZES, Scene, Thing
from mmattn.data.scenes.shapes import REACH
from mmattn.errors import ConfigError

Pair = tuple[str, str]
"""A colour and a shape."""

HELD_OUT: tuple[Pair, ...] = (
    ("red", "star"),
    ("yellow", "cross"),
    ("green", "circle"),
    ("blue", "triangle"),
    ("purple", "square"),
    ("black", "star"),
)
"""No split has these; every colour and every shape is in many other pairs."""
PAIRS = tuple((colour, shape) for colour in COLOURS for shape in SHAPES)
SEEN = tuple(pair for pair in PAIRS if pair not in HELD_OUT)

ROOM = 0.5  # for the usual radii of all things together: with more, hardly any places fit
VARIED = 0.04  # of a radius, up or down: sizes stay apart
GAP = 0.04  # between two things at least, and
MARGIN = 0.02  # between a thing and the border, in sides of the picture
CLEAR = 1.5  # the distance along a relation's axis, by that across it, at least
TRIES = 256  # places looked at in one go, and
GOES = 200  # so many times, at most


def some_pairs(count: int, new: bool, random: numpy.random.Generator) -> list[Pair]:
    """Distinct pairs: seen ones; or, with `new`, any, of which at least one is held out."""
    if not new:
        return [SEEN[i] for i in random.choice(len(SEEN), count, replace=False)]
    held_out = HELD_OUT[random.integers(len(HELD_OUT))]
    others = [pair for pair in PAIRS if pair != held_out]
    pairs = [others[i] for i in random.choice(len(others), count - 1, replace=False)]
    pairs.insert(int(random.integers(count)), held_out)
    return pairs


def some_sizes(count: int, random: numpy.random.Generator) -> list[str]:
    """Sizes of things that find room in one scene, every such choice as often."""
    while True:
        sizes: list[str] = random.choice(list(SIZES), count).tolist()
        if room_for(sizes):
            return sizes


def room_for(sizes: Iterable[str]) -> bool:
    """Whether things of these sizes fit into one scene."""
    return sum(SIZES[size] for size in sizes) <= ROOM


def compose(pairs: Sequence[Pair], sizes: Sequence[str], random: numpy.random.Generator) -> Scene:
    """A scene of these things, apart from each other, each in a clear relation to the next."""
    usual = numpy.array([SIZES[size] for size in sizes])
    radii = usual * random.uniform(1 - VARIED, 1 + VARIED, len(usual))
    places = _places(radii, random)
    things = (
        Thing(colour, shape, float(x), float(y), float(radius))
        for (colour, shape), (x, y), radius in zip(pairs, places, radii, strict=True)
    )
    level, tint = random.uniform(236, 252), random.uniform(-3, 3, 3)
    red, green, blue = (round(each) for each in level + tint)
    return Scene(tuple(things), (red, green, blue))


def _places(radii: numpy.ndarray, random: numpy.random.Generator) -> numpy.ndarray:
    """Centres (things, 2): the first that fit among random ones. Raises `ConfigError` where none do."""
    low = (radii * REACH + MARGIN)[:, None]
    for _ in range(GOES):
        places = random.uniform(low, 1 - low, (TRIES, len(radii), 2))
        fit = numpy.ones(TRIES, dtype=bool)
        for first in range(len(radii)):
            for second in range(first + 1, len(radii)):
                apart = numpy.abs(places[:, first] - places[:, second])
                fit &= (apart**2).sum(-1) > (REACH * (radii[first] + radii[second]) + GAP) ** 2
                if second == first + 1:
                    fit &= apart.max(-1) > CLEAR * apart.min(-1)
        if fit.any():
            return places[fit.argmax()]
    raise ConfigError(
        f"There is no room for things of radii {', '.join(f'{each:.2f}' for each in radii)} in one scene."
    )
