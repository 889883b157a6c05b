"""Pieces of the page as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from mmattn.report.cards import Card
from mmattn.report.pictures import data_uri
from mmattn.report.style import CSS


def page(title: str, sections: Sequence[str]) -> str:
    """A whole document without anything from elsewhere."""
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    body = "\n".join(section for section in sections if section)
    head = f'<!doctype html>\n<html lang="en"><head>{head}<style>{CSS}</style></head>\n'
    return f"{head}<body><main>{body}</main></body></html>\n"


def section(heading: str, content: str, note: str = "") -> str:
    """Empty where there is no content."""
    if not content:
        return ""
    said = f'<p class="quiet">{escape(note)}</p>' if note else ""
    return f"<section><h2>{escape(heading)}</h2>{said}{content}</section>"


def tiles(figures: Sequence[tuple[str, str]]) -> str:
    """Large figures with what they are; the first one stands out."""
    kinds = ["tile first"] + ["tile"] * len(figures)
    return '<div class="tiles">' + "".join(
        f'<div class="{kind}"><b>{escape(figure)}</b><span>{escape(name)}</span></div>'
        for kind, (name, figure) in zip(kinds, figures, strict=False)
    ) + "</div>"  # fmt: skip


def table(rows: Mapping[str, object]) -> str:
    """Names and values."""
    cells = (f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in rows.items())
    return f"<table>{''.join(cells)}</table>"


def code(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def folded(heading: str, content: str) -> str:
    return f"<details><summary>{escape(heading)}</summary>{content}</details>"


def gallery(cards: Sequence[Card]) -> str:
    """Cards side by side; wider ones where they hold text or several pictures."""
    if not cards:
        return ""
    wide = any(len(card.parts) > 1 or not isinstance(part, np.ndarray) for card in cards for _, part in card.parts)
    return f'<div class="cards{" wide" if wide else ""}">{"".join(map(_card, cards))}</div>'


def _card(card: Card) -> str:
    kind = {None: "", True: " right", False: " wrong"}[card.right]
    parts = "".join(_part(caption, content) for caption, content in card.parts)
    out = f'<div class="card{kind}"><h3>{escape(card.title)}</h3><div class="parts">{parts}</div>'
    if card.chances:
        mark = {None: "", True: "✓ ", False: "✗ "}[card.right]
        truth = f" <small>is {escape(card.truth or '')}</small>" if card.right is False else ""
        out += f'<p class="said">{mark}{escape(card.chances[0][0])}{truth}</p>'
        out += "".join(_chance(*each) for each in card.chances[:3])
    return out + "</div>"


def _chance(label: str, chance: float) -> str:
    bar = f'<u style="width:{chance:.0%}"></u><em>{chance:.0%}</em>'
    return f'<div class="chance"><span title="{escape(label)}">{escape(label)}</span>{bar}</div>'


def _part(caption: str, content: object) -> str:
    if isinstance(content, np.ndarray):
        shown = f'<img alt="{escape(caption)}" src="{data_uri(content)}">'
    elif isinstance(content, str):
        shown = f'<div class="text">{escape(content)}</div>'
    else:
        pieces = (f'<mark class="{mark}">{escape(text)}</mark>' if mark else escape(text) for text, mark in content)  # type: ignore[attr-defined]
        shown = f'<div class="text code">{"".join(pieces)}</div>'
    return f"<div>{shown}" + (f"<small>{escape(caption)}</small>" if caption else "") + "</div>"
