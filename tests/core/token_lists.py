"""Token sequences as python lists of tokens: a slow second way to say what `join` and prefix tokens do."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import torch
from hypothesis import strategies as st

from mmattn import TokenInfo, TokenSequence
from mmattn.sequence import Side


class Token(NamedTuple):
    value: float
    document: int
    order: int
    place: tuple[int, ...]
    modality: int
    is_global: bool
    prefix: bool = False
    id: int = -1


Row = list[Token]
SIDES = st.sampled_from(["left", "right"])


def to_tensors(rows: Sequence[Row], side: Side, spare: int, extra: bool, ids: bool) -> TokenSequence:
    """Rows padded on one side to the longest and `spare` more; `extra` and `ids` say which optional facts there are."""
    length = max(map(len, rows)) + spare
    axes = len(next((token.place for row in rows for token in row), (0,)))
    padding = Token(0.0, -1, 0, (0,) * axes, 0, False)
    fill = [[padding] * (length - len(row)) for row in rows]
    full = [row + more if side == "right" else more + row for row, more in zip(rows, fill, strict=True)]

    def fact(name: str, dtype: torch.dtype, *inner: int) -> torch.Tensor:
        values = [[getattr(token, name) for token in row] for row in full]
        return torch.tensor(values, dtype=dtype).view(len(rows), length, *inner)

    info = TokenInfo(
        fact("order", torch.long), fact("place", torch.long, axes), fact("document", torch.long),
        fact("modality", torch.long), fact("is_global", torch.bool),
        {"prefix": fact("prefix", torch.bool)} if extra else {},
    )  # fmt: skip
    return TokenSequence(fact("value", torch.double, 1), info, fact("id", torch.long) if ids else None)


def to_lists(tokens: TokenSequence, side: Side) -> list[Row]:
    """The rows without their padding, which must stand on `side`."""
    info, rows = tokens.info, []
    for row in range(len(info.order)):
        real = info.real[row].tolist()
        count = sum(real)
        assert real == ([True] * count + [False] * (len(real) - count))[:: 1 if side == "right" else -1]
        rows.append([
            Token(
                float(tokens.embeddings[row, i, 0].detach()), int(info.document[row, i]), int(info.order[row, i]),
                tuple(info.coordinates[row, i].tolist()), int(info.modality[row, i]), bool(info.is_global[row, i]),
                "prefix" in info.extra and bool(info.extra["prefix"][row, i]),
                -1 if tokens.ids is None else int(tokens.ids[row, i]),
            )
            for i in range(len(real)) if real[i]
        ])  # fmt: skip
    return rows


def by_document(row: Row) -> dict[int, Row]:
    return {number: list(own) for number, own in groupby(row, lambda token: token.document)}


@st.composite
def rows(draw: st.DrawFn, batch: int, extra: bool, ids: bool) -> list[Row]:
    """`batch` rows of up to three documents, of which each row has its own three numbers; orders may leave gaps."""
    axes, number = draw(st.integers(1, 2)), st.integers(0, 9)
    place = st.one_of(st.just((-1,) * axes), st.tuples(*[number] * axes))
    made = []
    for row in range(batch):
        row_tokens: Row = []
        for document in draw(st.sets(st.integers(3 * row, 3 * row + 2))):
            orders = sorted(draw(st.sets(st.integers(0, 6), max_size=3)))
            row_tokens += [
                Token(
                    draw(st.floats(-9, 9, width=16)), document, order, draw(place), draw(number), draw(st.booleans()),
                    extra and draw(st.booleans()), draw(number) if ids else -1,
                )
                for order in orders
            ]  # fmt: skip
        made.append(sorted(row_tokens, key=lambda token: token.document))
    return made


@st.composite
def sequences(draw: st.DrawFn, batch: int) -> tuple[list[Row], TokenSequence]:
    """Rows as lists and as tensors, padded on a random side."""
    extra, ids = draw(st.booleans()), draw(st.booleans())
    made = draw(rows(batch, extra, ids))
    return made, to_tensors(made, draw(SIDES), draw(st.integers(0, 2)), extra, ids)
