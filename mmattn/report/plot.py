"""Pictures of measurements as SVG files that need nothing else: curves with bands on linear or logarithmic axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from statistics import mean

from mmattn.report.chart import labels, ticks

WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM, ROW = 720, 400, 74, 36, 52, 22  # RIGHT holds half of "1,000,000"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#a0508c", "#b8860b", "#56b4e9", "#444444", "#cc3344", "#7a6fca", "#66a61e")
"""After Okabe and Ito; the second ten curves are dashed."""
INK, QUIET, RULE = "#1c1f23", "#5d6670", "#dfe3e6"


@dataclass(frozen=True)
class Curve:
    """`points` (x, y) in the order of x; `band` (x, least, most): where the seeds lie."""

    name: str
    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float, float]] = field(default=())

    @staticmethod
    def of(name: str, points: Iterable[tuple[float, Sequence[float]]]) -> Curve:
        """Of several values at each x: their mean, and a band from the least to the most."""
        places = list(points)
        several = any(len(values) > 1 for _, values in places)
        band = [(x, min(values), max(values)) for x, values in places] if several else ()
        return Curve(name, [(x, mean(values)) for x, values in places], band)


@dataclass(frozen=True)
class Axis:
    """From numbers to places: `start` to `stop` on the page stand for the first to the last tick."""

    ticks: Sequence[float]
    start: float
    stop: float
    logarithmic: bool

    def __call__(self, value: float) -> float:
        turn: Callable[[float], float] = math.log if self.logarithmic else float
        low, high = turn(self.ticks[0]), turn(self.ticks[-1])
        return self.start + (turn(value) - low) / (high - low) * (self.stop - self.start)

    def labelled(self) -> Iterator[tuple[float, str]]:
        plain = self.logarithmic or (len(self.ticks) > 1 and self.ticks[1] - self.ticks[0] >= 1)
        names = map(_power, self.ticks) if plain else labels(self.ticks)
        return zip(self.ticks, names, strict=True)


def plot(curves: Sequence[Curve], x_label: str, y_label: str, log: str = "") -> str:
    """An SVG; `log` names the axes, "x", "y" or "xy", that are logarithmic: there, numbers up to 0 are left out."""
    drawn = [_kept(curve, log) for curve in curves]
    if not any(curve.points for curve in drawn):
        return ""
    places = [point for curve in drawn for point in curve.points]
    heights = [y for _, y in places] + [y for curve in drawn for _, *both in curve.band for y in both]
    heights = [y for y in heights if "y" not in log or y > 0]
    legend, top = _legend(drawn)
    across = Axis(_ticks([x for x, _ in places], "x" in log), LEFT, WIDTH - RIGHT, "x" in log)
    up = Axis(_ticks(heights, "y" in log), HEIGHT - BOTTOM, top, "y" in log)
    parts = [*_grid(across, up, top, x_label, y_label), *legend]
    parts += [_drawn(number, curve, across, up) for number, curve in enumerate(drawn)]
    return svg(WIDTH, HEIGHT, parts, y_label)


def svg(width: float, height: float, parts: Sequence[str], about: str) -> str:
    """A whole file, on white."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" '
        f'aria-label="{escape(about)}" font-family="system-ui, sans-serif" font-size="13" fill="{QUIET}">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>{"".join(parts)}</svg>'
    )


def _kept(curve: Curve, log: str) -> Curve:
    def good(x: float, *ys: float) -> bool:
        return all(math.isfinite(each) for each in (x, *ys)) and ("x" not in log or x > 0) and (
            "y" not in log or min(ys) > 0
        )  # fmt: skip

    # The lower end may lie below the axis.
    band = [(x, low, high) for x, low, high in curve.band if math.isfinite(low) and good(x, high)]
    return Curve(curve.name, [each for each in curve.points if good(*each)], band)


def _ticks(values: Sequence[float], logarithmic: bool) -> list[float]:
    low, high = min(values), max(values)
    if not logarithmic:
        return ticks(low, high)
    base = 10.0 if high / low > 2000 else 2.0
    first, last = math.floor(math.log(low, base) + 1e-9), math.ceil(math.log(high, base) - 1e-9)
    step = -(-(last - first) // 9) or 1
    return [base**power for power in range(first, max(last, first + 1) + step, step)]


def _power(value: float) -> str:
    exact = round(value)
    if value == 0:
        return "0"
    if value >= 1 and math.isclose(exact, value) and value < 1e7:
        return f"{exact:,}"
    return f"{value:.3g}" if value >= 0.001 and value < 1e6 else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")


def _legend(curves: Sequence[Curve]) -> tuple[list[str], float]:
    """What each curve is, in rows above, and where the picture begins below them."""
    parts, x, y = [], float(LEFT), 20.0
    for number, curve in enumerate(curves):
        width = 44 + 8 * len(curve.name)
        if x + width > WIDTH - RIGHT and x > LEFT:
            x, y = float(LEFT), y + ROW
        line = f'<line x1="{x}" x2="{x + 22}" y1="{y - 4}" y2="{y - 4}" {_stroke(number)}/>'
        parts.append(f'{line}<text x="{x + 28}" y="{y}" fill="{INK}">{escape(curve.name)}</text>')
        x += width
    return parts, y + 16


def _grid(across: Axis, up: Axis, top: float, x_label: str, y_label: str) -> Iterator[str]:
    for tick, name in up.labelled():
        y = up(tick)
        yield f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{RULE}"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{name}</text>'
    for tick, name in across.labelled():
        yield f'<text x="{across(tick):.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{name}</text>'
    yield f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>'
    middle = (top + HEIGHT - BOTTOM) / 2
    yield f'<text transform="translate(16 {middle:.0f}) rotate(-90)" text-anchor="middle">{escape(y_label)}</text>'


def _drawn(number: int, curve: Curve, across: Axis, up: Axis) -> str:
    def at(x: float, y: float) -> str:
        return f"{across(x):.1f},{up(y):.1f}"

    colour = COLOURS[number % len(COLOURS)]
    out = ""
    if not curve.points:  # it keeps its colour, and others keep theirs
        return out
    if curve.band:
        edge = [at(x, max(low, up.ticks[0])) for x, low, _ in curve.band]
        edge += [at(x, high) for x, _, high in reversed(curve.band)]
        paint = f'fill="{colour}" stroke="{colour}" stroke-width="3" opacity="0.15"'  # one place alone has no area
        out += f'<polygon points="{" ".join(edge)}" {paint}/>'
    out += f'<polyline points="{" ".join(at(*point) for point in curve.points)}" fill="none" {_stroke(number)}/>'
    if len(curve.points) <= 40:
        out += "".join(
            f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{colour}">'
            f"<title>{escape(curve.name)}: {y:.4g} at {x:,.6g}</title></circle>"
            for x, y in curve.points
        )
    return out


def _stroke(number: int) -> str:
    dash = ' stroke-dasharray="6 4"' if number >= len(COLOURS) else ""
    return f'stroke="{COLOURS[number % len(COLOURS)]}" stroke-width="2" stroke-linejoin="round"{dash}'
