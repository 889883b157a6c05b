"""Token facts, patterns and backbones that the tests of the core share."""

from __future__ import annotations

from functools import partial

import torch

from mmattn import (
    Attention,
    Backbone,
    Causal,
    Full,
    GlobalTokens,
    Pattern,
    Position,
    PrefixLM,
    SlidingWindow,
    TokenInfo,
)

PATTERNS: dict[str, Pattern] = {
    "full": Full(),
    "causal": Causal(),
    "window": SlidingWindow(2),
    "window or global": SlidingWindow(1, 1) | GlobalTokens(),
    "prefix": PrefixLM(),
    "far and causal": ~SlidingWindow(1) & Causal(),
}
LAYOUTS = {
    "plain": [[0] * 6, [1] * 6],
    "right": [[0, 0, 0, -1, -1, -1], [1] * 6],
    "left": [[-1, -1, 0, 0, 0, 0], [1] * 6],
    "packed": [[0, 0, 1, 1, 1, -1], [2, 3, 3, 3, 3, 3]],
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


def backbone(pattern: Pattern, position: Position | None = None, dim: int = 16, **attention: object) -> Backbone:
    """Two layers of width `dim` in float64, ready for evaluation."""
    torch.manual_seed(1)
    mixer = partial(Attention, **{"heads": 2, "pattern": pattern, "qk_norm": True, **attention})
    return Backbone(dim, 2, {"main": mixer}, position=position).double().eval()
