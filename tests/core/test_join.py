"""`join` and `Layout`, against python lists of tokens."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmattn import TokenInfo, TokenSequence, join
from mmattn.sequence import Layout
from tests.core.token_lists import SIDES, Row, by_document, sequences, to_lists


def widened(place: tuple[int, ...], axes: int) -> tuple[int, ...]:
    return place + (min(place[0], 0),) * (axes - len(place))  # a token without a place has none on any axis


def joined(parts: list[Row], axes: int) -> Row:
    """One row: documents ascending, each part after part; `order` starts again after the last of the part before."""
    out: Row = []
    for document in sorted({token.document for part in parts for token in part}):
        start = 0
        for part in parts:
            own = by_document(part).get(document, [])
            out += [each._replace(order=start + each.order, place=widened(each.place, axes)) for each in own]
            start += own[-1].order + 1 if own else 0
    return out


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3).flatmap(lambda batch: st.lists(sequences(batch), min_size=1, max_size=3)), SIDES)
def test_join_is_what_lists_say(parts, side):
    lists, tensors = zip(*parts, strict=True)
    out = join(tensors, side)
    axes = out.info.coordinates.shape[-1]
    expected = [joined(list(row), axes) for row in zip(*lists, strict=True)]
    assert to_lists(out, side) == expected
    assert out.embeddings.shape[1] == sum(each.embeddings.shape[1] for each in tensors)
    assert (out.ids is None) == all(each.ids is None for each in tensors)
    seen = Layout.of(out.info.document)
    assert (out.info.layout.one_document, out.info.layout.padded) == (seen.one_document, seen.padded)


@pytest.mark.parametrize(
    ("rows", "layout"),
    [
        ([[0, 0], [1, 1]], Layout(True, False, "right")),
        ([[0, -1], [1, 1]], Layout(True, True, "right")),
        ([[-1, 0], [1, 1]], Layout(True, True, "left")),
        ([[-1, -1], [-1, 4]], Layout(True, True, "left")),
        ([[0, 1], [2, 2]], Layout(False, False, "right")),
        ([[0, -1, 1]], Layout(False, True, "right")),
        ([[0, 1, 0]], Layout(False, False, "right")),
        ([[-1, -1]], Layout(True, True, "right")),
        ([[], []], Layout(True, False, "right")),
    ],
)
def test_a_layout_is_read_off_documents(rows, layout):
    assert Layout.of(torch.tensor(rows, dtype=torch.long)) == layout
    assert Layout.of(torch.zeros(0, 3, dtype=torch.long)) == Layout(True, False, "right")


def test_a_join_off_the_cpu_reads_nothing_and_takes_a_callers_word():
    info = TokenInfo.from_lengths([2, 1], device="meta")
    part = TokenSequence(torch.zeros(2, 2, 4, device="meta"), info)
    assert not join([part, part]).info.layout.one_document
    assert join([part, part], same_documents=True).info.layout == Layout(True, True, "right")
