"""Text in the font that comes with Pillow, which has ASCII and few other signs."""

from __future__ import annotations

import unicodedata
from functools import cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
SAID = {"×": "x", "−": "-", "–": "-", "—": "-", "→": "->", "≤": "<=", "≥": ">=", "␣": "_", "ß": "ss"}


@cache
def font(size: int = 12) -> Font:
    return ImageFont.load_default(size)


def written(text: str, size: int = 12) -> str:
    """The text in signs that the font has: "×" is x, "é" is e, and what nothing stands for is "?"."""
    return "".join(_sign(letter, size) for letter in text)


@cache
def _sign(letter: str, size: int) -> str:
    if _known(letter, size):
        return letter
    plain = unicodedata.normalize("NFKD", SAID.get(letter, letter))
    return "".join(part for part in plain if _known(part, size)) or "?"


def _known(letter: str, size: int) -> bool:
    """Whether the font draws it, and not the box for what it lacks."""
    if letter.isascii():
        return letter.isprintable()
    return bytes(font(size).getmask(letter)) != bytes(font(size).getmask("\uffff"))


def fitted(text: str, width: float, size: int = 12) -> str:
    """Written, and cut to so many pixels."""
    text = written(text, size)
    shown = text
    while font(size).getlength(shown) > width and len(text) > 1:
        text = text[:-1]
        shown = text + "…"
    return shown
