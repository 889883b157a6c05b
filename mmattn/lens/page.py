"""Words' heat maps over pictures, as a page without network and as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from PIL import Image, ImageDraw

from mmattn.lens.overlay import LEAST, overlay
from mmattn.lens.writing import fitted, font
from mmattn.report.cards import Card
from mmattn.report.page import gallery, section, tiles
from mmattn.report.page import page as document
from mmattn.report.pictures import data_uri

SIDE, GAP, LINE = LEAST, 8, 18
"""Pixels of a picture's longer side, between pictures, and of a line of writing."""


@dataclass(frozen=True)
class Row:
    """A picture and the words that were read in it: one run, or a run before or after editing.

    title: what it is.
    picture: uint8, (height, width) or (height, width, 3).
    words: labels with their heat maps (rows, columns), NaN where there is no token.
    """

    title: str
    picture: np.ndarray
    words: Sequence[tuple[str, np.ndarray]]

    def pictures(self, highest: float) -> list[tuple[str, np.ndarray]]:
        """The picture itself and each word's overlay, with their captions; `highest` is the brightest weight."""
        return [("picture", self.picture), *((word, overlay(self.picture, heat, highest)) for word, heat in self.words)]


def largest(rows: Sequence[Row]) -> float:
    """The largest weight of all words, 0 where there is none: rows share a scale, so that they can be compared."""
    maps = [heat for row in rows for _, heat in row.words if not np.isnan(heat).all()]
    return max((float(np.nanmax(heat)) for heat in maps), default=0.0)


def page(title: str, rows: Sequence[Row], facts: Sequence[tuple[str, str]] = (), details: Sequence[Row] = ()) -> str:
    """A whole HTML document that needs nothing from elsewhere: a section a row, a card a word.

    facts: names and values at the top, such as which layers and steps the maps are means of. details: rows with a scale
    of their own; the others have that of the `strip`.
    """
    sections = [f"<h1>{escape(title)}</h1>" + (tiles(facts) if facts else "")]
    for some in (rows, details):
        highest = largest(some)
        legend = _legend(highest)
        for row in some:
            cards = [Card(caption, [("", picture)]) for caption, picture in row.pictures(highest)]
            sections.append(section(row.title, legend + gallery(cards)))
    return document(title, sections)


def _legend(highest: float) -> str:
    """What the colours of a section mean."""
    bar = f'<img alt="colours, from dark to bright" src="{data_uri(_bar(highest), SIDE)}">' if highest else ""
    return f'<p class="quiet">{bar} weights from 0 to {highest:.3g}</p>'


def strip(rows: Sequence[Row]) -> Image.Image:
    """The rows under one another, each with its title and the words' captions: to be saved as a PNG.

    The writing is in the font that comes with Pillow, which has few signs beside ASCII (see `written`); the page has
    them all.
    """
    highest = largest(rows)
    shown = [[(caption, _sized(picture)) for caption, picture in row.pictures(highest)] for row in rows]
    heights = [2 * LINE + GAP + max(image.height for _, image in each) for each in shown]
    columns = max(map(len, shown), default=0)
    scale = LINE + GAP if highest else 0
    out = Image.new("RGB", (GAP + columns * (SIDE + GAP), GAP + sum(heights) + scale), "white")
    draw = ImageDraw.Draw(out)
    top = GAP
    for row, each, height in zip(rows, shown, heights, strict=True):
        draw.text((GAP, top), fitted(row.title, out.width - 2 * GAP), "black", font())
        for place, (caption, image) in enumerate(each):
            left = GAP + place * (SIDE + GAP)
            draw.text((left, top + LINE), fitted(caption, SIDE), "#5d6670", font())
            out.paste(image, (left, top + 2 * LINE))
        top += height
    if highest:
        _scale(out, top, highest)
    return out


def _scale(out: Image.Image, top: int, highest: float) -> None:
    """What the colours mean, on a line of its own."""
    out.paste(Image.fromarray(_bar(highest)), (GAP, top))
    said = fitted(f"weights from 0 to {highest:.3g}", out.width - SIDE - 3 * GAP)
    ImageDraw.Draw(out).text((SIDE + 2 * GAP, top), said, "#5d6670", font())


def _bar(highest: float) -> np.ndarray:
    """All colours from no weight to the highest."""
    return overlay(np.full((LINE, SIDE), 128, np.uint8), np.linspace(0, highest, SIDE)[None], highest)


def _sized(picture: np.ndarray) -> Image.Image:
    image = Image.fromarray(picture).convert("RGB")
    scale = SIDE / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Image.Resampling.NEAREST)
