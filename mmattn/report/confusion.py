"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

MOST = 60
"""Classes that a picture can show."""


def matrix(truth: np.ndarray, guess: np.ndarray, classes: int) -> np.ndarray:
    """Counts (true class, predicted class)."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (truth, guess), 1)
    return counts


def drawn(counts: np.ndarray, names: Sequence[str]) -> str:
    """An SVG: rows are true classes, columns predicted ones, colour the share of the row; a count where it fits."""
    classes = len(names)
    if classes > MOST:
        return f"<p>{classes} classes are too many for a picture.</p>"
    cell = min(46.0, max(13.0, 460 / classes))
    font = min(12.0, cell * 0.62)
    short = [name if len(name) <= 16 else name[:15] + "…" for name in names]
    margin = max(map(len, short)) * font * 0.62 + 34
    side = margin + classes * cell + 6
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    parts = [f'<svg class="confusion" style="max-width:{side:.0f}px" viewBox="0 0 {side:.0f} {side:.0f}" role="img">']
    parts.append(f'<g font-size="{font:.1f}">')
    for row in range(classes):
        middle = margin + (row + 0.5) * cell
        label = escape(short[row])
        parts.append(f'<text x="{margin - 6:.1f}" y="{middle + font * 0.35:.1f}" text-anchor="end">{label}</text>')
        parts.append(
            f'<text transform="translate({middle + font * 0.35:.1f} {margin - 6:.1f}) rotate(-90)">{label}</text>'
        )
        for column in range(classes):
            parts.append(_cell(counts, shares, names, row, column, margin, cell, font))
    centre = margin + classes * cell / 2
    parts.append("</g>")
    parts.append(f'<text class="axis" x="{centre:.0f}" y="13" text-anchor="middle">predicted</text>')
    parts.append(
        f'<text class="axis" transform="translate(13 {centre:.0f}) rotate(-90)" text-anchor="middle">true</text>'
    )
    return "".join(parts) + "</svg>"


def _cell(
    counts: np.ndarray, shares: np.ndarray, names: Sequence[str], row: int, column: int,
    margin: float, cell: float, font: float,
) -> str:  # fmt: skip
    x, y, count, share = margin + column * cell, margin + row * cell, int(counts[row, column]), shares[row, column]
    kind = "hit" if row == column else "miss"
    said = f"{names[row]} taken for {names[column]}: {count} ({share:.1%} of {names[row]})"
    strength = 0.0 if count == 0 else 0.15 + 0.85 * float(share) ** 0.7
    out = f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{cell - 1:.1f}" height="{cell - 1:.1f}"'
    out += f' style="fill-opacity:{strength:.2f}"><title>{escape(said)}</title></rect>'
    if count and len(str(count)) * font * 0.6 < cell and classes_fit(cell):
        tone = ' class="light"' if strength > 0.55 else ""
        place = f'x="{x + cell / 2:.1f}" y="{y + cell / 2 + font * 0.35:.1f}"'
        out += f'<text{tone} {place} text-anchor="middle">{count}</text>'
    return out


def classes_fit(cell: float) -> bool:
    """Whether a number in a cell of this many pixels can be read."""
    return cell >= 18


def worst(counts: np.ndarray, names: Sequence[str], most: int = 8) -> list[str]:
    """The most frequent confusions as sentences."""
    wrong = counts - np.diag(np.diag(counts))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = [divmod(int(place), len(names)) for place in order]
    return [
        f"{names[row]} taken for {names[column]}: {wrong[row, column]}" for row, column in pairs if wrong[row, column]
    ]
