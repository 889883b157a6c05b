"""A learned score for each offset on a grid (Swin, https://arxiv.org/abs/2103.14030)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmattn.biases.bias import Added
from mmattn.patterns import Facts, axis
from mmattn.patterns.checks import at_least


class GridOffsets(Added):
    """score + table[Δrow, Δcolumn, head]; offsets beyond ±rows and ±columns share those of the edge.

    `first_axis` is the coordinate axis of the rows; the columns' is the next. Pairs with a token without a place (CLS)
    share a row of the table of their own.
    """

    def __init__(self, heads: int, rows: int, columns: int, *, first_axis: int = 0) -> None:
        super().__init__()
        at_least(1, "bias GridOffsets", heads=heads)
        at_least(0, "bias GridOffsets", rows=rows, columns=columns, first_axis=first_axis)
        self.heads, self.rows, self.columns, self.first_axis = heads, rows, columns, first_axis
        self.table = nn.Parameter(torch.randn((2 * rows + 1) * (2 * columns + 1) + 1, heads) * 0.02)

    def values(self, head: Tensor, query: Facts, key: Facts) -> Tensor:
        from_row, to_row = (axis(side.coordinates, self.first_axis) for side in (query, key))
        from_column, to_column = (axis(side.coordinates, self.first_axis + 1) for side in (query, key))
        row = (from_row - to_row).clamp(-self.rows, self.rows) + self.rows
        column = (from_column - to_column).clamp(-self.columns, self.columns) + self.columns
        placed = (from_row >= 0) & (to_row >= 0)
        index = torch.where(placed, row * (2 * self.columns + 1) + column, len(self.table) - 1)
        return self.table[index, head]
