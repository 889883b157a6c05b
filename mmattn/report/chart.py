"""Line charts as SVG, coloured by the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

TINY = 1e-300
"""Below it there is no room for ticks between two numbers."""

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 300, 62, 18, 16, 46


@dataclass(frozen=True)
class Line:
    """`points` (x, y) in the order of x; `style` is a class of the style sheet: a, b, c, d, or faint."""

    name: str
    points: Sequence[tuple[float, float]]
    style: str


def chart(lines: Sequence[Line], x_label: str, y_label: str) -> str:
    """An SVG with axes, ticks, and a legend above it; points that are not finite are left out."""
    lines = [Line(each.name, [p for p in each.points if math.isfinite(p[1])], each.style) for each in lines]
    lines = [each for each in lines if each.points]
    if not lines:
        return ""
    xs, ys = ([point[axis] for each in lines for point in each.points] for axis in (0, 1))
    last = max(xs) or 1
    x_ticks = [tick for tick in ticks(0, last) if tick <= last and tick == round(tick)]  # there is no half a step
    y_ticks = ticks(min(ys), max(ys))
    scale_x = _scale(0, last, LEFT, WIDTH - RIGHT)
    scale_y = _scale(y_ticks[0], y_ticks[-1], HEIGHT - BOTTOM, TOP)
    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(y_label)}">']
    for tick, label in zip(y_ticks, labels(y_ticks), strict=True):
        y = scale_y(tick)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for tick in x_ticks:
        parts.append(
            f'<text x="{scale_x(tick):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{tick:,.0f}</text>'
        )
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>')
    parts.append(f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>')
    parts += [_drawn(each, scale_x, scale_y, x_label) for each in lines]
    legend = "".join(f'<span><i class="{each.style}"></i>{escape(each.name)}</span>' for each in lines)
    return f'<figure><figcaption class="legend">{legend}</figcaption>{"".join(parts)}</svg></figure>'


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers (1, 2 or 5 × a power of ten apart) that enclose low to high.

    A range below a billionth of its values is none: it is what rounding leaves of a flat line.
    """
    largest = max(abs(low), abs(high), TINY)
    span = high - low if high - low > 1e-9 * largest else largest if largest > TINY else 1.0
    rough = span / (most - 1)
    exponent = math.floor(math.log10(rough))
    power = 10.0**exponent
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(place * step, max(0, -exponent)) for place in range(first, max(last, first + 1) + 1)]


def _scale(low: float, high: float, start: float, stop: float):  # type: ignore[no-untyped-def]
    return lambda value: start + (value - low) / (high - low) * (stop - start)


def _drawn(line: Line, scale_x, scale_y, x_label: str) -> str:  # type: ignore[no-untyped-def]
    places = [(scale_x(x), scale_y(y)) for x, y in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    drawn = f'<polyline class="{line.style}" points="{path}"/>'
    if len(places) <= 60 and line.style != "faint":
        drawn += "".join(
            f'<circle class="{line.style}" cx="{x:.1f}" cy="{y:.1f}" r="2.6">'
            f"<title>{escape(line.name)} {value:.4g} at {escape(x_label)} {place:,.0f}</title></circle>"
            for (x, y), (place, value) in zip(places, line.points, strict=True)
        )
    return drawn


def labels(values: Sequence[float]) -> list[str]:
    """Numbers as short as they can be while each reads differently."""
    for more in range(14):
        found = [_number(value, more) for value in values]
        if len(set(found)) == len(values):
            break
    return found


def _number(value: float, more: int) -> str:
    if abs(value) >= 0.01 or value == 0:
        return f"{value:.{4 + more}g}"
    return f"{value:.{more}e}".replace("e-0", "e-")
