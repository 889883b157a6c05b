"""Where on a grid a word is read: heat maps of attention weights, and how well they point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from mmattn.errors import ConfigError
from mmattn.lens.chosen import Which, chosen
from mmattn.sequence import TokenInfo
from mmattn.tokenizer import Prepared, Tokenizer

Box = tuple[float, float, float, float]


def labels(tokenizer: Tokenizer, prepared: Prepared) -> list[str]:
    """What each token of one sample is, its prefix tokens first, in the order of the sequence."""
    prefix = [f"prefix {number}" for number in range(1, tokenizer.prefix.count + 1)]
    return prefix + [tokenizer.describe(prepared, index) for index in range(tokenizer.count(prepared))]


def heat_map(weights: Tensor, info: TokenInfo, keys: Which, *, row: int = 0, queries: Which = None) -> Tensor:
    """(rows, columns): the mean weight that the query at each place gives to these keys, the tokens of a word.

    weights (batch, queries, keys), as `Maps.mean` gives them; `info`: the queries' facts, of whose coordinates the
    first two are row and column; `row` of the batch; queries: those that are shown (by default all that have a place).
    A place without a query is NaN. Raises ConfigError for tokens without rows and columns, where two queries stand at
    one place (several documents or modalities in a row: choose some), and where nothing is left.
    """
    length = info.order.shape[1]
    if weights.ndim != 3 or weights.shape[1] != length:
        raise ConfigError(
            f"heat_map takes weights (batch, {length} queries, keys) of these facts, and got {tuple(weights.shape)}."
        )
    if info.coordinates.shape[-1] < 2:
        raise ConfigError("These tokens have one coordinate axis; a heat map needs rows and columns.")
    some = chosen(queries, length, "queries", "the row").to(info.order.device)
    places = info.coordinates[row, some, :2]
    stands = (places >= 0).all(-1) & info.real[row, some]
    some, places = some[stands], places[stands]
    columns = chosen(keys, weights.shape[-1], "keys", "the map").to(weights.device)
    if not len(some) or not len(columns):
        raise ConfigError(f"A heat map of {len(some)} queries that have a place and {len(columns)} keys shows nothing.")
    if len(places.unique(dim=0)) < len(places):
        raise ConfigError("Several queries stand at one place: choose `queries` of one document and one modality.")
    height, width = (places.amax(0) + 1).tolist()
    out = weights.new_full((height, width), torch.nan)
    out[places[:, 0], places[:, 1]] = weights[row, some][:, columns].mean(-1)
    return out


class Pointing(NamedTuple):
    """hit: whether a map's maximum lies inside a box; chance: how often a place taken at random does."""

    hit: bool
    chance: float


def pointing(heat: Tensor, boxes: Sequence[Box]) -> Pointing:
    """The pointing game (https://arxiv.org/abs/1608.00507) on a map (rows, columns).

    boxes: (top, left, bottom, right) in rows and columns from 0, such as pixels / the patch's side; a place is inside
    where its middle is. Where several places share the maximum, all have to be: a flat map points nowhere. `chance` is
    the share of the map's places (those that are not NaN) inside a box.
    """
    known = ~heat.isnan()
    if not known.any():
        raise ConfigError("A map without a single weight points nowhere.")
    within, highest = inside(heat, boxes), heat == heat[known].max()
    return Pointing(bool(within[highest].all()), float(within[known].double().mean()))


def inside(heat: Tensor, boxes: Sequence[Box]) -> Tensor:
    """bool (rows, columns): the places whose middle is in one of the boxes, which are those of `pointing`."""
    rows, columns = (torch.arange(size, device=heat.device) + 0.5 for size in heat.shape)
    within = torch.zeros(heat.shape, dtype=torch.bool, device=heat.device)
    for top, left, bottom, right in boxes:
        within |= ((rows >= top) & (rows < bottom))[:, None] & ((columns >= left) & (columns < right))
    return within
