"""Aligned text for a terminal, and figures as people say them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence


def aligned(rows: Sequence[Sequence[str]], indent: str = "  ") -> str:
    """Rows of cells as lines, each column as wide as its widest cell."""
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows)))]
    lines = ("   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) for row in rows)
    return "\n".join(f"{indent}{line}".rstrip() for line in lines)


def duration(seconds: float) -> str:
    """`0.4 s`, `70 s`, `12 min`, `3 h 20 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def size(count: float) -> str:
    """Bytes as `350 MB` or `1.2 GB`."""
    return f"{count / 1e6:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"


def figures(metrics: Mapping[str, float]) -> str:
    """`accuracy 0.9750, f1 0.9741, loss 0.2101`."""
    return ", ".join(f"{name} {value:.4f}" for name, value in sorted(metrics.items()))


def figure_lines(metrics: Mapping[str, float], width: int = 100) -> list[str]:
    """`figures` in a line; where they are too many, in lines of at most `width` signs, in the order of the mapping."""
    line = figures(metrics)
    if len(line) <= width:
        return [line]
    glued = ", ".join(f"{name}\0{value:.4f}" for name, value in metrics.items())  # no line ends inside a figure
    return [
        each.replace("\0", " ") for each in textwrap.wrap(glued, width, break_on_hyphens=False, break_long_words=False)
    ]
