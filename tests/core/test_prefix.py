"""Prefix tokens, against python lists of tokens."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmattn import ConfigError, TokenInfo, TokenSequence
from mmattn.prefix import PrefixTokens
from tests.core.token_lists import Row, Token, by_document, sequences, to_lists


def prefixed(row: Row, values: list[float]) -> Row:
    out: Row = []
    for document, own in by_document(row).items():
        place = (-1,) * len(own[0].place)
        out += [Token(value, document, i, place, own[0].modality, True) for i, value in enumerate(values)]
        out += [token._replace(order=len(values) + token.order) for token in own]
    return out


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 3).flatmap(sequences), st.integers(0, 3))
def test_they_stand_before_every_document(both, count):
    lists, tokens = both
    part = PrefixTokens(1, count).double()
    values = part.tokens[:, 0].tolist()
    out = part(tokens)
    assert to_lists(out, tokens.info.layout.side) == [prefixed(row, values) for row in lists]
    assert (out.embeddings[~out.info.real] == 0).all()
    assert (out.ids is None) == (tokens.ids is None)


@pytest.mark.parametrize("side", ["left", "right"])
def test_one_document_a_row_stays_so(side):
    tokens = TokenSequence(torch.zeros(2, 3, 4), TokenInfo.from_lengths([3, 1], side=side))
    layout = PrefixTokens(4, 2)(tokens).info.layout
    assert (layout.one_document, layout.padded, layout.side) == (True, True, side)


@pytest.mark.parametrize("lengths", [[], [0], [0, 0]], ids=str)
def test_without_tokens_there_is_nothing_to_stand_before(lengths):
    tokens = TokenSequence(torch.zeros(len(lengths), 0, 4), TokenInfo.from_lengths(lengths))
    assert PrefixTokens(4, 2)(tokens).embeddings.shape == (len(lengths), 0, 4)


def test_a_row_without_tokens_gets_none():
    out = PrefixTokens(4, 2)(TokenSequence(torch.zeros(2, 2, 4), TokenInfo.from_lengths([0, 2])))
    assert out.info.document.tolist() == [[-1] * 4, [1] * 4]


def test_a_negative_count_is_an_error():
    with pytest.raises(ConfigError, match="prefix=-1"):
        PrefixTokens(4, -1)
