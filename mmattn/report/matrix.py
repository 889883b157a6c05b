"""A matrix of weights as an SVG: who reads whom, with what stands on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from mmattn.report.plot import INK, svg

CELL, ROOM = 20, 84


def matrix(weights: Sequence[Sequence[float]], rows: Sequence[str], columns: Sequence[str], about: str) -> str:
    """Weights (rows, columns) in [0, 1], darker where more; `rows` read `columns`, whose names stand above."""
    parts = [
        f'<text x="{ROOM + CELL * i + CELL / 2}" y="{ROOM - 8}" text-anchor="middle" fill="{INK}">{_shown(name)}</text>'
        for i, name in enumerate(columns)
    ]
    for j, (name, row) in enumerate(zip(rows, weights, strict=True)):
        y = ROOM + CELL * j
        parts.append(f'<text x="{ROOM - 8}" y="{y + 15}" text-anchor="end" fill="{INK}">{_shown(name)}</text>')
        parts += [
            f'<rect x="{ROOM + CELL * i}" y="{y}" width="{CELL - 1}" height="{CELL - 1}" fill="#0072b2" '
            f'fill-opacity="{max(min(weight, 1.0), 0.0) ** 0.7:.3f}" stroke="#dfe3e6" stroke-width="0.5">'
            f"<title>{escape(name)} reads {escape(column)}: {weight:.3f}</title></rect>"
            for i, (column, weight) in enumerate(zip(columns, row, strict=True))
        ]
    width, height = max(ROOM + CELL * len(columns), 9 * len(about)) + 16, ROOM + CELL * len(rows) + 16
    return svg(width, height, [f'<text x="12" y="24" font-weight="600">{escape(about)}</text>', *parts], about)


def _shown(name: str) -> str:
    return escape("␣" if name == " " else name)
