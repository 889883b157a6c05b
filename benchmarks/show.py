"""Tables of measurements for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from mmattn.benchmarks.roofline import Roofline
from mmattn.benchmarks.row import Row
from mmattn.benchmarks.scale import Growth, Point

WIDTH = 170  # where the output is no terminal


def console() -> Console:
    shown = Console()
    return shown if shown.is_terminal else Console(width=WIDTH)


def about(found: Roofline, threads: int) -> str:
    """The machine's peaks in a line."""
    return (
        f"{threads} thread{'s' * (threads > 1)}: matrix products {found.matmul_flops / 1e9:,.1f} GFLOP/s in float32, "
        f"memory {found.copy_bytes / 1e9:.1f} GB/s copied, {found.triad_bytes / 1e9:.1f} GB/s in a triad"
    )


def line(row: Row) -> str:
    """A row as it is measured."""
    named = f"{row.case} against {row.against} at {row.length:,}"
    if row.ratio is None:
        return f"{named}: not measured, {row.note}"
    return f"{named}: {row.ratio:.3f} of its time" + (f"; {row.note}" if row.note else "")


def rows_table(rows: Sequence[Row]) -> Table:
    """All that was measured; `ratio` is our time ÷ the other's, with its quartiles."""
    table = Table("case", "against", box=box.SIMPLE_HEAD, header_style="bold")
    right = ("length", "ratio", "quartiles", "plan anew", "ours s", "other s", "ours MB", "other MB")
    for name in (*right, "kernel", "visible", "computed", "of peak"):
        table.add_column(name, justify="left" if name == "kernel" else "right", no_wrap=True)
    for row in rows:
        table.add_row(row.case, row.against, f"{row.length:,}", *_figures(row))
    return table


def scale_table(found: Sequence[Point]) -> Table:
    table = Table("case", box=box.SIMPLE_HEAD, header_style="bold")
    for name in ("length", "seconds", "MB"):
        table.add_column(name, justify="right")
    for case, length, seconds, peak in found:
        table.add_row(case, f"{length:,}", f"{seconds:.3f}", f"{peak / 1e6:,.0f}")
    return table


def growth_line(growth: Growth) -> str:
    return f"{growth.case}: time ∝ length^{growth.time_exponent:.2f}, memory ∝ length^{growth.memory_exponent:.2f}"


def _figures(row: Row) -> list[str]:
    spread = "" if row.ratio_low is None else f"{row.ratio_low:.3f}–{row.ratio_high:.3f}"
    return [
        _number(row.ratio, ".3f"),
        spread,
        _number(row.with_plan_ratio, ".3f"),
        _number(row.ours_seconds, ".3f"),
        _number(row.other_seconds, ".3f"),
        _number(row.ours_peak_bytes, ",.0f", 1e6),
        _number(row.other_peak_bytes, ",.0f", 1e6),
        row.kernel or "–",
        _number(row.share, ".1%"),
        _number(row.computed_share, ".1%"),
        _number(row.roofline_fraction, ".0%"),
    ]


def _number(value: float | None, form: str, unit: float = 1) -> str:
    return "–" if value is None else format(value / unit, form)
