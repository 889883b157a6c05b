"""Which token reads which, as a matrix with the tokens' names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from PIL import Image, ImageDraw

from mmattn.lens.writing import fitted, font
from mmattn.report.page import page as document
from mmattn.report.page import section, tiles
from mmattn.report.pictures import data_uri, heat

CELL, LABEL, GAP, LINE = 14, 90, 8, 18
"""Pixels of a pair of tokens, of the longest name, between matrices, and of a line of writing."""


@dataclass(frozen=True)
class Matrices:
    """One layer's maps.

    title: the layer; tokens: names, in order.
    maps: captions (which heads) with weights (queries, keys).
    """

    title: str
    tokens: Sequence[str]
    maps: Sequence[tuple[str, np.ndarray]]


def matrix(weights: np.ndarray, tokens: Sequence[str], highest: float) -> np.ndarray:
    """uint8 (height, width, 3): a row a query, a column a key, dark 0, bright `highest`; names beside both."""
    side = CELL * len(tokens)
    names = [fitted(token, LABEL, 11) for token in tokens]
    margin = 8 + round(max((font(11).getlength(name) for name in names), default=0))
    out = Image.new("RGB", (margin + side, margin + side), "white")
    beside, above = (Image.new("RGB", (margin, side), "white") for _ in range(2))
    for place, name in enumerate(names):
        middle = place * CELL + CELL // 2
        ImageDraw.Draw(beside).text((margin - 4, middle), name, "black", font(11), anchor="rm")
        ImageDraw.Draw(above).text((4, middle), name, "black", font(11), anchor="lm")
    out.paste(beside, (0, margin))
    out.paste(above.transpose(Image.Transpose.ROTATE_90), (margin, 0))  # read upwards
    cells = heat(np.asarray(weights, dtype=np.float64), 0.0, highest).repeat(CELL, 0).repeat(CELL, 1)
    out.paste(Image.fromarray(cells), (margin, margin))
    return np.asarray(out)


def largest(layers: Sequence[Matrices]) -> float:
    """All matrices share a scale."""
    return max((float(weights.max()) for layer in layers for _, weights in layer.maps), default=0.0)


def matrices_page(title: str, layers: Sequence[Matrices], facts: Sequence[tuple[str, str]]) -> str:
    """A whole HTML document that needs nothing from elsewhere: a section a layer."""
    highest = largest(layers)
    scale = (
        f"A row is a token that reads, a column one that is read. The brightest colour is a weight of {highest:.3g}."
    )
    sections = [f'<h1>{escape(title)}</h1><p class="quiet">{scale}</p>{tiles(facts)}']
    for layer in layers:
        figures = ""
        for caption, weights in layer.maps:
            shown = matrix(weights, layer.tokens, highest)
            image = f'<img alt="{escape(caption)}" src="{data_uri(shown, longest=max(shown.shape))}">'
            figures += f"<figure><figcaption>{escape(caption)}</figcaption>{image}</figure>"
        sections.append(section(layer.title, f'<div class="split">{figures}</div>' if figures else ""))
    return document(title, sections)


def matrices_strip(layers: Sequence[Matrices]) -> Image.Image:
    """The first map of each layer, under one another: to be saved as a PNG."""
    highest = largest(layers)
    said = f"the brightest is {highest:.3g}"
    shown = [
        (f"{each.title}: {each.maps[0][0]}, {said}", matrix(each.maps[0][1], each.tokens, highest)) for each in layers
    ]
    width = max((picture.shape[1] for _, picture in shown), default=0) + 2 * GAP
    out = Image.new("RGB", (width, GAP + sum(LINE + GAP + len(picture) for _, picture in shown)), "white")
    draw, top = ImageDraw.Draw(out), GAP
    for title, picture in shown:
        draw.text((GAP, top), fitted(title, width - 2 * GAP), "black", font())
        out.paste(Image.fromarray(picture), (GAP, top + LINE))
        top += LINE + GAP + len(picture)
    return out
