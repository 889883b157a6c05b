"""What stands in a picture of a scene: things of a colour, a shape and a size, each in its place."""

from __future__ import annotations

from dataclasses import dataclass

from mmattn.data.scenes.shapes import OUTLINES

COLOURS = {
    "red": (210, 40, 30),
    "yellow": (245, 205, 0),
    "green": (0, 165, 115),
    "blue": (0, 70, 200),
    "purple": (215, 110, 220),
    "black": (15, 15, 15),
}
"""In RGB. Apart for the colour-blind too: at least 29 units of CIELAB between any two as simulated for missing cones
by the matrices of Machado, Oliveira and Fernandes (2009)."""
SHAPES = tuple(OUTLINES)
SIZES = {"small": 0.125, "medium": 0.16, "large": 0.205}
"""Usual radii, in sides of the picture. A caption says nothing of a medium thing."""
MOST = 3  # things in a scene
UNCLEAR = "unclear"  # the shape of something seen that is none of the shapes


@dataclass(frozen=True)
class Box:
    """The part of a picture between two corners, in sides of the picture from its upper left corner."""

    left: float
    top: float
    right: float
    bottom: float

    def holds(self, x: float, y: float) -> bool:
        """Whether a point is inside."""
        return self.left <= x <= self.right and self.top <= y <= self.bottom


@dataclass(frozen=True)
class Thing:
    """One thing of a picture; place and radius in sides of the picture, from its upper left corner.

    shape: `unclear` for something seen that is none of the shapes. x, y: the centre of its area. radius: what its
    outline of radius 1 is multiplied by.
    """

    colour: str
    shape: str
    x: float
    y: float
    radius: float

    @property
    def size(self) -> str:
        """The size whose usual radius is nearest, in proportion."""
        return min(SIZES, key=lambda name: max(SIZES[name] / self.radius, self.radius / SIZES[name]))

    @property
    def box(self) -> Box:
        """What the thing reaches to on each side."""
        outline = OUTLINES["circle" if self.shape == UNCLEAR else self.shape]
        across, down = zip(*outline, strict=True)
        return Box(
            self.x + self.radius * min(across),
            self.y + self.radius * min(down),
            self.x + self.radius * max(across),
            self.y + self.radius * max(down),
        )


@dataclass(frozen=True)
class Scene:
    """Things, each in a clear relation to the next, on a background of a light colour (RGB)."""

    things: tuple[Thing, ...]
    background: tuple[int, int, int] = (245, 245, 245)


def relation(first: Thing, second: Thing) -> str:
    """Where the first thing is, seen from the second: `left` or `right` if it is further across than up or down."""
    across, down = first.x - second.x, first.y - second.y
    if abs(across) > abs(down):
        return "left" if across < 0 else "right"
    return "above" if down < 0 else "below"
