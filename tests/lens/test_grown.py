"""What grows step by step is held once, and every step's is what it was."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch.utils import _pytree as pytree

from mmattn import Attention, Backbone, Causal, Memory, SlidingWindow, TokenInfo
from mmattn.lens import capture
from mmattn.lens.grown import Grown
from tests.core.test_steps import piece
from tests.lens.examples import READ, both, tokens

SELF, CROSS = "blocks.0.mixer", "blocks.1.mixer"


def test_values_stay_those_of_each_call_when_growth_goes_on_branches_and_begins_anew():
    torch.manual_seed(0)
    first, other = torch.randn(2, 9, 3), torch.randn(2, 9, 3)
    branch = torch.cat([first[:, :5], other[:, 5:]], 1)
    given = [first[:, :2], first[:, :3], first[:, :5], first[:, :6], branch[:, :6], branch, other[:, :4], first[:, :1]]
    given += [first[:, :4].double(), first[:, :5].double()[:1]]
    grown = Grown(1)
    for got, wanted in zip([grown(each.clone()) for each in given], given, strict=True):
        assert torch.equal(got, wanted)


def test_values_that_come_again_are_held_in_inference_mode():
    grown = Grown(1)
    with torch.inference_mode():
        given = torch.randn(2, 5, 3)
        held = [grown(each) for each in (given[:, :3], given[:, :3].clone(), given, given)]
    assert [torch.equal(each, given[:, : each.shape[1]]) for each in held] == [True] * 4
    assert held[0].data_ptr() == held[1].data_ptr() and held[2].data_ptr() == held[3].data_ptr()


@pytest.mark.parametrize("pattern", [Causal(), SlidingWindow(8)])  # behind a window the cache forgets
def test_decoding_holds_little_more_than_its_tokens(pattern):
    count, dim = 128, 16
    model = Backbone(dim, 2, {"a": partial(Attention, heads=2, pattern=pattern)}).double().eval()
    info = TokenInfo.from_lengths([count])
    x, state = tokens(info), None
    with torch.no_grad(), capture(model) as maps:
        model(x)
        for start in range(count):
            _, state = model.step(piece(x.embeddings, info, start, start + 1), state)
    held = {}
    for record in maps.records():
        for each in (
            record.query,
            record.key,
            *pytree.tree_leaves([record.visibility.queries, record.visibility.keys]),
        ):
            held[each.untyped_storage().data_ptr()] = each.untyped_storage().nbytes()
    facts = sum(each[0, 0].nbytes for each in pytree.tree_leaves(info))
    a_token = 2 * dim * 8 + 2 * facts  # query, key, and the facts of both
    assert sum(held.values()) < 2 * 2 * 4 * count * a_token  # two layers, with and without a cache
    rows = [record.weights()[0, :, 0] for record in maps.records(SELF, slice(-3, None))]
    whole = maps[SELF][0].weights()[0]
    for place, row in zip(range(count - 3, count), rows, strict=True):
        seen = whole[:, place][:, whole[0, place] > 0]
        torch.testing.assert_close(row[row > 0].view_as(seen), seen, atol=1e-12, rtol=0)


@pytest.mark.parametrize("heads", [None, [0, 3]])
@torch.inference_mode()
def test_keys_of_a_memory_are_held_once_for_all_steps(heads):
    model, memory = both(), Memory(tokens(READ, 1))
    with capture(model, CROSS, heads=heads) as maps:
        for step in range(3):
            model(tokens(TokenInfo.from_lengths([3, 2]), step), memory)
    assert len({record.key.data_ptr() for record in maps[CROSS]}) == 1


def test_growth_passes_from_inference_mode_to_training_and_back():
    model, info = both(Causal()), TokenInfo.from_lengths([6])
    x, read, state = tokens(info), tokens(TokenInfo.from_lengths([3]), 1), None
    with capture(model, SELF) as maps:
        for start in range(6):
            with torch.inference_mode(start % 2 == 0):
                _, state = model.step(piece(x.embeddings, info, start, start + 1), state, read)
    with capture(model, SELF) as whole:
        model(x, read)
    for place, record in enumerate(maps[SELF]):
        row = whole[SELF][0].weights(queries=[place], keys=slice(0, place + 1))
        torch.testing.assert_close(record.weights(), row, atol=1e-12, rtol=0)
