"""A token of a grid sees those around it (https://arxiv.org/abs/2204.07143; here a token at the edge sees fewer)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmattn.patterns.checks import at_least
from mmattn.patterns.facts import Facts, axis
from mmattn.patterns.pattern import Pattern


@dataclass(frozen=True)
class Neighbourhood(Pattern):
    """|Δrow| ≤ rows ∧ |Δcolumn| ≤ columns; tokens without a place (CLS) see one another, and none that has one.

    `rows` and `columns` are radii: 3 and 3 give 7 × 7. `first_axis` is the coordinate axis of the rows; the columns'
    is the next one.
    """

    rows: int
    columns: int
    first_axis: int = 0

    def __post_init__(self) -> None:
        at_least(0, "pattern Neighbourhood", rows=self.rows, columns=self.columns, first_axis=self.first_axis)

    def allows(self, query: Facts, key: Facts) -> Any:
        from_row, to_row = (axis(side.coordinates, self.first_axis) for side in (query, key))
        from_column, to_column = (axis(side.coordinates, self.first_axis + 1) for side in (query, key))
        rows, columns = from_row - to_row, from_column - to_column
        near = (rows <= self.rows) & (rows >= -self.rows) & (columns <= self.columns) & (columns >= -self.columns)
        return near & ((from_row >= 0) == (to_row >= 0))
