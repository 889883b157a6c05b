"""Token facts and backbones that the tests of the core share."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch

from mmattn import Attention, Backbone, Pattern, Position, TokenInfo

LAYOUTS = {
    "plain": [[0] * 6, [1] * 6],
    "right": [[0, 0, 0, -1, -1, -1], [1] * 6],
    "left": [[-1, -1, 0, 0, 0, 0], [1] * 6],
    "packed": [[0, 0, 1, 1, 1, -1], [2, 3, 3, 3, 3, 3]],
}
# Long enough for blocks of four, and no multiple of them.
LONG = {
    "plain": [[0] * 13, [1] * 13],
    "right": [[0] * 7 + [-1] * 6, [1] * 13],
    "left": [[-1] * 5 + [0] * 8, [1] * 13],
    "packed": [[0] * 6 + [1] * 5 + [-1] * 2, [2] * 2 + [3] * 11],
}
LONG_KEYS = {
    "plain": [[0] * 18, [1] * 18],
    "right": [[0] * 18, [1] * 9 + [-1] * 9],
    "left": [[-1] * 18, [-1] * 3 + [1] * 15],
    "packed": [[0] * 3 + [1] * 15, [4] * 4 + [3] * 12 + [-1] * 2],
}


def facts(rows: list[list[int]]) -> TokenInfo:
    """Facts for rows of document numbers: the first token of each is global, the first two are its prefix."""
    document = torch.tensor(rows)
    order = torch.zeros_like(document)
    for row in range(len(rows)):
        for place in range(1, len(rows[row])):
            same = rows[row][place] == rows[row][place - 1] >= 0
            order[row, place] = order[row, place - 1] + 1 if same else 0
    real = document >= 0
    return TokenInfo(
        order, order[..., None], document, torch.zeros_like(order), (order == 0) & real, {"prefix": (order < 2) & real}
    )


def rich(rows: list[list[int]]) -> TokenInfo:
    """`facts` on a grid of three columns, of which the global tokens have no place, in two kinds by turns of two."""
    info = facts(rows)
    grid = torch.stack([info.order // 3, info.order % 3], -1)
    return replace(info, coordinates=grid.masked_fill(info.is_global[..., None], -1), modality=info.order // 2 % 2)


def backbone(pattern: Pattern, position: Position | None = None, dim: int = 16, **attention: object) -> Backbone:
    """Two layers of width `dim` in float64, ready for evaluation."""
    torch.manual_seed(1)
    mixer = partial(Attention, **{"heads": 2, "pattern": pattern, "qk_norm": True, **attention})
    return Backbone(dim, 2, {"main": mixer}, position=position).double().eval()
