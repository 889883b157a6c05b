"""Measurements as a page with pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from mmattn.benchmarks.row import Row
from mmattn.benchmarks.scale import Growth, Point
from mmattn.benchmarks.show import growth_line
from mmattn.report.chart import Line, chart
from mmattn.report.page import page, section, table

WIDTH, LEFT, RIGHT, STEP, BAR = 860, 270, 70, 24, 15


def rows_page(rows: Sequence[Row], facts: Mapping[str, Any]) -> str:
    """Bars of ratios, a section a length; `facts`: what is known of machine and versions."""
    lengths = sorted({row.length for row in rows})
    note = "Our time ÷ the other side's, forward and backward, on a logarithmic scale; the thin line: quartiles."
    pictures = [section(f"{each:,} tokens", bars([r for r in rows if r.length == each]), note) for each in lengths]
    return page("Attention, side by side", ["<h1>Attention, side by side</h1>", *pictures, _facts(facts)])


def bars(rows: Sequence[Row]) -> str:
    """An SVG with a bar a row, from 1 to its ratio; rows without a figure are left out, and it is empty without any."""
    drawn = [(row, row.ratio, row.ratio_low or row.ratio, row.ratio_high or row.ratio) for row in rows if row.ratio]
    if not drawn:
        return ""
    least, most = min(0.5, *(low for _, _, low, _ in drawn)), max(1.0, *(high for *_, high in drawn))

    def place(ratio: float) -> float:
        return LEFT + math.log(ratio / least) / math.log(most / least) * (WIDTH - LEFT - RIGHT)

    height = STEP * len(drawn) + 8
    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="ratios">']
    for number, (row, ratio, low, high) in enumerate(drawn):
        middle = STEP * number + STEP / 2 + 4
        start, stop = sorted((place(1.0), place(ratio)))
        parts.append(
            f'<text x="{LEFT - 12}" y="{middle + 4}" text-anchor="end">{escape(f"{row.case} / {row.against}")}</text>'
            f'<rect class="{"hit" if ratio <= 1 else "miss"}" x="{start:.1f}" y="{middle - BAR / 2}" '
            f'width="{max(stop - start, 1):.1f}" height="{BAR}" opacity="0.8"/>'
            f'<line x1="{place(low):.1f}" x2="{place(high):.1f}" y1="{middle}" y2="{middle}" stroke="currentColor"/>'
            f'<text x="{max(stop, place(high)) + 8:.1f}" y="{middle + 4}">{ratio:.3f}</text>'
        )
    parts.append(f'<line class="grid" x1="{place(1):.1f}" x2="{place(1):.1f}" y1="0" y2="{height}"/></svg>')
    return f"<figure>{''.join(parts)}</figure>"


def scale_page(found: Sequence[Point], growths: Sequence[Growth], facts: Mapping[str, Any]) -> str:
    """Seconds and peak memory against the length, a line a case."""
    pictures = "".join(
        chart(
            [
                Line(case, [(p.length, value(p)) for p in found if p.case == case], "abcd"[i % 4])
                for i, case in enumerate(dict.fromkeys(p.case for p in found))
            ],
            "tokens",
            label,
        )
        for label, value in (("seconds", lambda p: p.seconds), ("peak memory in MB", lambda p: p.peak_bytes / 1e6))
    )
    said = "; ".join(map(growth_line, growths))
    return page(
        "Attention by length", ["<h1>Attention by length</h1>", section("Growth", pictures, said), _facts(facts)]
    )


def _facts(facts: Mapping[str, Any]) -> str:
    return section("Measured on", table({name: _said(value) for name, value in facts.items()}))


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(each)}" for name, each in value.items())
    return f"{value:.3g}" if isinstance(value, float) else str(value)
