"""The outlines of the shapes: corners (across, down) around the centre of the area."""

from __future__ import annotations

import math

Outline = tuple[tuple[float, float], ...]
REACH = 1.15  # how far from the centre a shape goes; only the corners of the square stick out a little


def _ring(corners: int, *radii: float) -> Outline:
    """Corners at equal angles, the first at the top, their distances from the centre in turn those of `radii`."""
    angles = [2 * math.pi * i / corners for i in range(corners)]
    distances = [radii[i % len(radii)] for i in range(corners)]
    return tuple((r * math.sin(angle), -r * math.cos(angle)) for r, angle in zip(distances, angles, strict=True))


def _cross(length: float, half: float) -> Outline:
    quarter = [(-half, -length), (half, -length), (half, -half)]
    turned = [quarter, *([(-y, x) for x, y in quarter], [(-x, -y) for x, y in quarter], [(y, -x) for x, y in quarter])]
    return tuple(corner for part in turned for corner in part)


OUTLINES: dict[str, Outline] = {
    "circle": _ring(48, 1.0),
    "square": ((-0.86, -0.86), (0.86, -0.86), (0.86, 0.86), (-0.86, 0.86)),
    "triangle": _ring(3, REACH),
    "cross": _cross(1.05, 0.34),
    "star": _ring(10, REACH, 0.5),
}


def area(outline: Outline) -> float:
    """Of a shape of radius 1, by the shoelace formula."""
    following = (*outline[1:], outline[0])
    return abs(sum(x * v - u * y for (x, y), (u, v) in zip(outline, following, strict=True))) / 2
