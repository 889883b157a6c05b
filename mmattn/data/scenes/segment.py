"""Pixels to patches: which pixels have which colour, and which of them hang together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy

from mmattn.data.scenes.scene import COLOURS

LIGHT = 0.8  # of the darkest channel of a pixel that may be background
USUAL_BACKGROUND = 0.96  # where no pixel is light
LEAST_AREA = 0.006  # of the picture: smaller patches are specks


@dataclass(frozen=True)
class Patch:
    """A connected patch of one colour: its pixels, and how much the thing covers each of them.

    cover: float (rows, columns), 0 outside of the patch and its seam; left, top: its first column and row.
    """

    colour: str
    cover: numpy.ndarray
    left: int
    top: int


def patches(pixels: numpy.ndarray) -> list[Patch]:
    """The patches of a picture (height, width, 3) of floats from 0 to 1, in no particular order."""
    covers, colours = _colours(pixels)
    groups = _connected(colours)
    found = []
    for group, area in zip(*numpy.unique(groups[groups >= 0], return_counts=True), strict=True):
        if area >= LEAST_AREA * groups.size:
            found.append(_patch(groups == group, groups, covers, colours))
    return found


def _colours(pixels: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    """(colours, height, width): how far each pixel is from the background to each colour; and (height, width): the
    number of the colour that covers at least half of it, -1 for background."""
    light = pixels[pixels.min(-1) > LIGHT]
    background = numpy.median(light, 0) if len(light) else numpy.full(3, USUAL_BACKGROUND, pixels.dtype)
    ways = _targets() - background
    lengths = (ways**2).sum(1)[:, None, None]
    along = numpy.tensordot(ways, pixels - background, (1, 2))
    covers = numpy.clip(along / lengths, 0, 1)
    nearest = (covers * (covers * lengths - 2 * along)).argmin(0)  # the squared distance, but for what all share
    cover = numpy.take_along_axis(covers, nearest[None], 0)[0]
    return covers, numpy.where(cover > 0.5, nearest, -1)


@cache
def _targets() -> numpy.ndarray:
    return numpy.array(list(COLOURS.values()), dtype=numpy.float32) / 255


def _connected(colours: numpy.ndarray) -> numpy.ndarray:
    """(height, width): a number for each group of touching pixels of one colour, -1 outside; corners touch too."""
    groups = numpy.where(colours >= 0, numpy.arange(colours.size, dtype=numpy.int32).reshape(colours.shape), -1)
    pairs = [(*views, colours[views[0]] == colours[views[1]]) for views in _neighbours()]
    while True:
        before = groups.copy()
        for here, there, joined in pairs:
            largest = numpy.where(joined, numpy.maximum(groups[here], groups[there]), -1)
            numpy.maximum(groups[here], largest, out=groups[here])
            numpy.maximum(groups[there], largest, out=groups[there])
        if (groups == before).all():
            return groups


def _neighbours() -> list[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Views of a picture and of the same moved by one: right, down, and both diagonals."""
    every, first, rest = slice(None), slice(None, -1), slice(1, None)
    return [
        ((every, first), (every, rest)),
        ((first, every), (rest, every)),
        ((first, first), (rest, rest)),
        ((first, rest), (rest, first)),
    ]


def _patch(inside: numpy.ndarray, groups: numpy.ndarray, covers: numpy.ndarray, colours: numpy.ndarray) -> Patch:
    """A group with its soft seam of two pixels, which belongs to no other group."""
    colour = int(colours[inside][0])
    seam = _grown(_grown(inside)) & (inside | (groups < 0))
    rows, columns = numpy.flatnonzero(seam.any(1)), numpy.flatnonzero(seam.any(0))
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    cover = numpy.where(seam, covers[colour], 0)[window]
    return Patch(list(COLOURS)[colour], cover, int(columns[0]), int(rows[0]))


def _grown(mask: numpy.ndarray) -> numpy.ndarray:
    grown = mask.copy()
    for here, there in _neighbours():
        grown[here] |= mask[there]
        grown[there] |= mask[here]
    return grown
