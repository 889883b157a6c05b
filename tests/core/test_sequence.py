"""Facts about tokens: how they are made, picked, put together, and carried through trees."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils import _pytree as pytree

from mmattn import TokenInfo, TokenSequence
from mmattn.sequence import Layout
from tests.core.token_lists import SIDES

FACTS = ("order", "coordinates", "document", "modality", "is_global")


def padded(row, length, value, side):
    fill = [value] * (length - len(row))
    return fill + row if side == "left" else row + fill


@given(st.lists(st.integers(0, 5), max_size=4), st.integers(0, 2), SIDES, st.integers(0, 3))
def test_lengths_become_rows_of_one_document(lengths, spare, side, modality):
    length = max(lengths, default=0) + spare
    info = TokenInfo.from_lengths(lengths, length=length, side=side, modality=modality)
    for row, count in enumerate(lengths):
        order = padded(list(range(count)), length, 0, side)
        assert info.order[row].tolist() == order == info.coordinates[row, :, 0].tolist()
        assert info.document[row].tolist() == padded([row] * count, length, -1, side)
    assert info.modality.unique().tolist() == ([modality] if info.modality.numel() else [])
    assert info.layout == Layout(True, any(count < length for count in lengths), side) and not info.is_global.any()


def test_a_length_that_is_too_short_is_named():
    with pytest.raises(ValueError, match="length 2 is less than the longest row, 3"):
        TokenInfo.from_lengths([1, 3], length=2)


def test_facts_are_split_along_rows_and_length():
    info = TokenInfo.from_lengths([5, 2, 5], side="left")
    groups = info.split(2, 2)
    for name in FACTS:
        rows = [torch.cat([getattr(each, name) for each in group], 1) for group in groups]
        assert torch.equal(torch.cat(rows), getattr(info, name))
    none = Layout(padded=False)
    layouts = [[Layout(), Layout(side="left"), none], [none] * 3]  # a row of padding alone has it on no side
    assert [[each.known_layout for each in group] for group in groups] == layouts
    assert [[each.document.shape[1] for each in group] for group in groups] == [[2, 2, 1]] * 2
    assert [len(group) for group in info.split(3, 9)] == [1]


def test_facts_are_picked_along_the_length():
    info = TokenInfo.from_lengths([3, 2])
    index = torch.tensor([[2, 0], [1, 1]])
    out = info.pick(index)
    for name in FACTS:
        fact, picked = getattr(info, name), getattr(out, name)
        assert [[picked[r, c].tolist() for c in range(2)] for r in range(2)] == [
            [fact[r, place].tolist() for place in index[r].tolist()] for r in range(2)
        ]
    assert out.known_layout is None and info.pick(index, Layout()).layout == Layout()


def test_parts_of_unlike_axes_and_facts_stand_beside_each_other():
    one = TokenInfo.from_lengths([1], coordinates=torch.tensor([[[7]]]))
    nowhere = TokenInfo.from_lengths([1], coordinates=torch.tensor([[[-1]]]))
    grid = TokenInfo.from_lengths([1], coordinates=torch.tensor([[[2, 3]]]))
    grid = TokenInfo(**{**vars(grid), "extra": {"prefix": torch.tensor([[True]])}})
    out = TokenInfo.concatenate([one, nowhere, grid])
    assert out.coordinates.tolist() == [[[7, 0], [-1, -1], [2, 3]]]
    assert out.extra["prefix"].tolist() == [[False, False, True]] and out.extra["prefix"].dtype == torch.bool


def test_a_tree_of_tensors_is_rebuilt_with_what_the_host_knows():
    tokens = TokenSequence(torch.ones(2, 3, 4), TokenInfo.from_lengths([3, 2], side="left"))
    leaves, spec = pytree.tree_flatten({"x": tokens})
    assert sum(isinstance(leaf, torch.Tensor) for leaf in leaves) == 6  # the embeddings and five facts
    again = pytree.tree_unflatten(leaves, spec)["x"]
    assert again.info.known_layout == tokens.info.known_layout and again.embeddings is tokens.embeddings
    moved = pytree.tree_map(lambda leaf: leaf.to("meta") if isinstance(leaf, torch.Tensor) else leaf, tokens)
    assert moved.info.document.is_meta and moved.ids is None


def test_padding_becomes_zero_whatever_stood_there():
    tokens = TokenSequence(torch.full((2, 3, 1), torch.nan), TokenInfo.from_lengths([3, 1]))
    out = tokens.zero_padding().embeddings[..., 0]
    assert (out[~tokens.info.real] == 0).all() and out[tokens.info.real].isnan().all()
    whole = TokenSequence(torch.ones(1, 3, 1), TokenInfo.from_lengths([3]))
    assert whole.zero_padding() is whole
