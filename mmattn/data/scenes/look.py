"""A picture read back: which things it shows. Knows no model, only colours, shapes and pixels."""

from __future__ import annotations

from typing import Any

import numpy

from mmattn.data.scenes.fit import fit
from mmattn.data.scenes.scene import Thing
from mmattn.data.scenes.segment import patches


def look(picture: Any) -> list[Thing]:
    """The things of a picture, the largest first; a patch that fits no shape is a thing of the shape `unclear`.

    picture: square, a PIL image or an array (height, width, 3): uint8, or floats from 0 to 1 (others are clipped).

    Raises `ValueError` for another shape or type.
    """
    pixels = _floats(numpy.asarray(picture.convert("RGB") if hasattr(picture, "convert") else picture))
    things = [fit(patch, len(pixels)) for patch in patches(pixels)]
    return sorted(things, key=lambda thing: -thing.radius)


def _floats(values: numpy.ndarray) -> numpy.ndarray:
    if values.ndim != 3 or values.shape[2] != 3 or values.shape[0] != values.shape[1]:
        raise ValueError(f"A picture has the shape (side, side, 3), not {values.shape}.")
    if values.dtype == numpy.uint8:
        return values / numpy.float32(255)
    if values.dtype.kind != "f":
        raise ValueError(f"A picture is uint8, or floats from 0 to 1, not {values.dtype}.")
    return numpy.clip(numpy.nan_to_num(values.astype(numpy.float32)), 0, 1)
