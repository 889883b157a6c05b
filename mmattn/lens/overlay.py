"""A heat map over the picture that it belongs to."""

from __future__ import annotations

import numpy as np
from PIL import Image

from mmattn.report.pictures import heat as colours

LEAST = 160
"""Pixels that an overlay's longest side has at least, so that outlines are thin beside patches."""
FAINT, SHARP = 0.12, 0.4  # steps between two pixels: up to here no outline, from here on a whole one
SHOWN = 0.8  # of a whole outline: what is under it shines through
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
    rows = np.arange(height) * heat.shape[0] // height
    columns = np.arange(width) * heat.shape[1] // width
    spread = np.asarray(heat, dtype=np.float64)[rows][:, columns, None]
    colour = colours(np.nan_to_num(spread[..., 0]), 0.0, highest).astype(np.float64)
    line = SHOWN * outlines(np.asarray(shown, dtype=np.float64) / 255, factor)[..., None]
    contrast = np.where(colour.mean(-1, keepdims=True) < MIDDLE, 255.0, 0.0)
    drawn = (1 - line) * colour + line * contrast
    grey = np.asarray(shown.convert("L"), dtype=np.float64).repeat(factor, 0).repeat(factor, 1)[..., None]
    return np.where(np.isnan(spread), grey, drawn).round().astype(np.uint8)


def outlines(picture: np.ndarray, factor: int) -> np.ndarray:
    """(height · factor, width · factor) from 0 to 1: lines where a picture (height, width, channels) of values from 0
    to 1 changes most, between two pixels; a soft edge of several steps has one line, at the largest."""
    out = np.zeros([side * factor for side in picture.shape[:2]])
    for axis, place in ((0, out), (1, out.T)):  # of a transposed picture rows are columns
        step = np.abs(np.diff(picture, axis=axis)).max(-1)
        step = step.T if axis else step
        beside = np.pad(step, ((1, 1), (0, 0)))
        peak = np.where((step >= beside[:-2]) & (step > beside[2:]), step, 0)
        line = np.clip((peak - FAINT) / (SHARP - FAINT), 0, 1).repeat(factor, 1)
        borders = factor * np.arange(1, len(step) + 1)
        for side in (borders - 1, borders):
            place[side] = np.maximum(place[side], line)
    return out
