"""Arrays as pictures inside a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

STOPS = ((0, 0, 4), (66, 10, 104), (147, 38, 103), (221, 81, 58), (252, 165, 10), (252, 255, 164))
"""Six colours along matplotlib's "inferno": rising lightness, readable in every kind of colour vision."""

GAP = 2  # white pixels between pictures


def heat(values: np.ndarray, low: float | None = None, high: float | None = None) -> np.ndarray:
    """(height, width) as colours uint8 (height, width, 3), dark at `low`, bright at `high`; default: its own range."""
    low = float(values.min()) if low is None else low
    high = float(values.max()) if high is None else high
    place = (values - low) / max(high - low, 1e-12) * (len(STOPS) - 1)
    channels = [np.interp(place, range(len(STOPS)), [stop[channel] for stop in STOPS]) for channel in range(3)]
    return np.stack(channels, -1).round().astype(np.uint8)


def pixels(image: np.ndarray) -> np.ndarray:
    """(channels, height, width) in [0, 1] as uint8, grey (height, width) or colours (height, width, 3)."""
    chosen = image if image.shape[0] == 3 else image.mean(0, keepdims=True)
    out = (chosen.clip(0, 1) * 255).round().astype(np.uint8).transpose(1, 2, 0)
    return out[..., 0] if out.shape[-1] == 1 else out


def side_by_side(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """uint8 pictures of one size in a row, with a gap between them."""
    gap = np.full((pictures[0].shape[0], GAP, *pictures[0].shape[2:]), 255, np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)][:-1]
    return np.concatenate(parts, 1)


def in_rows(pictures: Sequence[np.ndarray], across: int = 8) -> np.ndarray:
    """uint8 pictures of one size, `across` in a row at most, with a gap between them; white where there are no more."""
    first, width = pictures[0], min(across, len(pictures))
    white = np.full_like(first, 255)
    filled = [*pictures, *[white] * (-len(pictures) % width)]
    rows = [side_by_side(filled[start : start + width]) for start in range(0, len(filled), width)]
    gap = np.full((GAP, *rows[0].shape[1:]), 255, np.uint8)
    return np.concatenate([part for row in rows for part in (row, gap)][:-1])


def data_uri(picture: np.ndarray, longest: int = 192) -> str:
    """A PNG of a uint8 picture; one with a side above `longest` is made smaller."""
    image = Image.fromarray(picture)
    image.thumbnail((longest * 2, longest))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
