"""A heat map over the picture that it belongs to."""

from __future__ import annotations

import numpy as np
from PIL import Image

from mmattn.report.pictures import heat as colours

LEAST = 64
"""Pixels that an overlay's longest side has at least, so that small pictures' patches are seen."""


def overlay(picture: np.ndarray, heat: np.ndarray, highest: float) -> np.ndarray:
    """uint8 (height, width, 3): the picture in grey, coloured by weight (dark 0, bright `highest`).

    picture: uint8 (height, width) or (height, width, 3); heat (rows, columns), whose places are spread evenly over the
    picture, with sharp edges: a map knows nothing finer than its tokens. Where it is NaN the picture stays grey.
    """
    grey = Image.fromarray(picture).convert("L")
    factor = max(1, -(-LEAST // max(grey.size)))
    width, height = (side * factor for side in grey.size)
    base = np.asarray(grey.resize((width, height), Image.Resampling.NEAREST), dtype=np.float64)[..., None]
    rows = np.arange(height) * heat.shape[0] // height
    columns = np.arange(width) * heat.shape[1] // width
    spread = np.asarray(heat, dtype=np.float64)[rows][:, columns]
    colour = colours(np.nan_to_num(spread), 0.0, highest)
    mixed = np.where(np.isnan(spread)[..., None], base, 0.35 * base + 0.65 * colour)
    return mixed.round().astype(np.uint8)
