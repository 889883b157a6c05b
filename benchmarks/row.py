"""A row of the table: one case at one length against one other side."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Row:
    """ratio: our seconds ÷ the other's, the median of pairs, with quartiles; with_plan_ratio: masks, plans and biases
    are made anew in every turn, on both sides; share: visible pairs of tokens ÷ all; computed_share: pairs that ours
    computes ÷ all, None where no plan says so; roofline_fraction: of the peak of matrix products, visible pairs alone
    counted; note: why there are no figures, and `wrong` where that is because the sides differ or one failed."""

    case: str
    against: str
    length: int
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    ours_seconds: float | None = None
    other_seconds: float | None = None
    with_plan_ratio: float | None = None
    ours_peak_bytes: int | None = None
    other_peak_bytes: int | None = None
    kernel: str | None = None
    share: float | None = None
    computed_share: float | None = None
    roofline_fraction: float | None = None
    largest_difference: float | None = None
    turns: int = 0
    note: str = ""
    wrong: bool = False
