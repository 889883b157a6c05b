"""Which shape a patch of pixels has: every shape is laid over it, and the one that leaves the least wins."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy

from mmattn.data.scenes.draw import cover
from mmattn.data.scenes.scene import SHAPES, UNCLEAR, Thing
from mmattn.data.scenes.segment import Patch
from mmattn.data.scenes.shapes import OUTLINES, area

LIMIT = 0.08  # squared difference by area: noisy and blurred shapes stay below, bars, rings and halves do not


def fit(patch: Patch, pixels: int) -> Thing:
    """The thing that the patch is, in a picture `pixels` wide.

    Place and radius are those at which a shape has the centre and the area of the patch. Its shape is `unclear` where
    none fits.
    """
    total = float(patch.cover.sum())
    rows, columns = (numpy.arange(size) + 0.5 for size in patch.cover.shape)
    x = float(patch.cover.sum(0) @ columns / total + patch.left) / pixels
    y = float(patch.cover.sum(1) @ rows / total + patch.top) / pixels
    things = [Thing(patch.colour, shape, x, y, math.sqrt(total / area(OUTLINES[shape])) / pixels) for shape in SHAPES]
    left_over = [_left_over(thing, patch, pixels) / total for thing in things]
    best = int(numpy.argmin(left_over))
    return things[best] if left_over[best] <= LIMIT else replace(things[best], shape=UNCLEAR)


def _left_over(thing: Thing, patch: Patch, pixels: int) -> float:
    """Sum of the squared differences between a patch and a drawn thing."""
    image, (left, top) = cover(thing, pixels)
    drawn = numpy.asarray(image) / 255
    first_row, first_column = min(top, patch.top), min(left, patch.left)
    rows = max(top + drawn.shape[0], patch.top + patch.cover.shape[0]) - first_row
    columns = max(left + drawn.shape[1], patch.left + patch.cover.shape[1]) - first_column
    difference = numpy.zeros((rows, columns))
    for values, row, column, sign in ((drawn, top, left, 1), (patch.cover, patch.top, patch.left, -1)):
        row, column = row - first_row, column - first_column
        difference[row : row + values.shape[0], column : column + values.shape[1]] += sign * values
    return float((_softened(difference) ** 2).sum())


def _softened(values: numpy.ndarray) -> numpy.ndarray:
    """Each pixel averaged with its neighbours (1, 2, 1 in both directions): of noise and blur less is left."""
    wide = numpy.zeros((values.shape[0] + 2, values.shape[1] + 2))
    wide[1:-1, 1:-1] = values
    across = wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]
    return (across[:-2] + 2 * across[1:-1] + across[2:]) / 16
