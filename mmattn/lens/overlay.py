"""A heat map over the picture that it belongs to."""

from __future__ import annotations

import numpy as np
from PIL import Image

from mmattn.report.pictures import heat as colours

LEAST = 128
"""Pixels that an overlay's longest side has at least, so that outlines stay thin beside patches."""
SHOWN = 0.8  # of a sharp outline, at most: what is under it shines through
MIDDLE = 110.0  # outlines are white on what is darker, else black


def overlay(picture: np.ndarray, heat: np.ndarray, highest: float) -> np.ndarray:
    """uint8 (height, width, 3): weights as colours (dark 0, bright `highest`) with the picture's outlines.

    Colours are those of the weights alone: a dark thing would make them look smaller if the picture were mixed in.

    picture: uint8 (height, width) or (height, width, 3); heat (rows, columns), whose places are spread evenly over the
    picture, with sharp edges: a map knows nothing finer than its tokens. Where it is NaN the picture shows, in grey.
    """
    shown = Image.fromarray(picture).convert("RGB")
    factor = max(1, -(-LEAST // max(shown.size)))
    width, height = (side * factor for side in shown.size)
    large = shown.resize((width, height), Image.Resampling.NEAREST)
    rows = np.arange(height) * heat.shape[0] // height
    columns = np.arange(width) * heat.shape[1] // width
    spread = np.asarray(heat, dtype=np.float64)[rows][:, columns, None]
    colour = colours(np.nan_to_num(spread[..., 0]), 0.0, highest).astype(np.float64)
    line = SHOWN * outlines(np.asarray(large, dtype=np.float64))[..., None]
    contrast = np.where(colour.mean(-1, keepdims=True) < MIDDLE, 255.0, 0.0)
    drawn = (1 - line) * colour + line * contrast
    grey = np.asarray(large.convert("L"), dtype=np.float64)[..., None]
    return np.where(np.isnan(spread), grey, drawn).round().astype(np.uint8)


def outlines(picture: np.ndarray) -> np.ndarray:
    """(height, width) from 0 to 1: how much a picture (height, width, channels) of 0 to 255 changes at each pixel."""
    steps = [np.gradient(picture, axis=axis) if picture.shape[axis] > 1 else np.zeros_like(picture) for axis in (0, 1)]
    return np.minimum(np.hypot(*steps).max(-1) / 127.5, 1.0)
