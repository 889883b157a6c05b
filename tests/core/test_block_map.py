"""The map of blocks against the dense mask: no live pair is left out, and no full one is wrong."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import pad

from mmattn import Causal, ConfigError, Full, GlobalTokens, Pattern, PrefixLM, SlidingWindow, TokenInfo, Visibility
from mmattn.patterns import Chunk, ChunkedCausal, Either, Neighbourhood, Strided, block_map
from tests.core.examples import facts, rich
from tests.core.random_tokens import TREES, sides


def dense(pattern, queries, keys, block):
    """The mask in blocks (query blocks, block, key blocks, block), False beyond the ends."""
    mask = Visibility(pattern, queries, keys).mask[0, 0]
    mask = pad(mask, (0, -mask.shape[1] % block, 0, -mask.shape[0] % block))
    return mask.view(mask.shape[0] // block, block, mask.shape[1] // block, block)


def pairs(found):
    return list(zip(found.query.tolist(), found.key.tolist(), strict=True))


def live(blocks):
    return [tuple(pair) for pair in blocks.any(3).any(1).nonzero().tolist()]


@settings(max_examples=400)
@given(TREES, sides(), st.integers(1, 16))
def test_the_map_errs_on_the_safe_side(pattern, facts_of_both, block):
    queries, keys = facts_of_both
    found, blocks = block_map(pattern, queries, keys, block), dense(pattern, queries, keys, block)
    assert (found.query_blocks, found.key_blocks) == (blocks.shape[0], blocks.shape[2])
    assert set(live(blocks)) <= set(pairs(found))
    for query, key in np.array(pairs(found)).reshape(-1, 2)[found.full].tolist():
        assert blocks[query, :, key].all()  # so a block that is not whole is not full
    assert pairs(found) == sorted(set(pairs(found)))
    assert found.share == len(pairs(found)) / max(1, found.query_blocks * found.key_blocks)


ROWS = {
    "one document": [[0] * 33],
    "padded": [[-1] * 5 + [0] * 28],
    "packed": [[0] * 8 + [1] * 3 + [2] * 14 + [-1] * 8],
}
TIGHT = {
    "full": Full(),
    "causal": Causal(),
    "window": SlidingWindow(3),
    "two-sided window": SlidingWindow(6, 2),
    "chunk": Chunk(8),
    "chunked causal": ChunkedCausal(5),
    "window and causal": SlidingWindow(3, 9) & Causal(),
    "window or global": SlidingWindow(2, 2) | GlobalTokens(),
    "prefix": PrefixLM(),
}


@pytest.mark.parametrize("block", [1, 4, 5, 8])
@pytest.mark.parametrize("rows", ROWS.values(), ids=list(ROWS))
@pytest.mark.parametrize("pattern", TIGHT.values(), ids=list(TIGHT))
def test_no_dead_block_is_called_live_where_order_alone_decides(pattern, rows, block):
    info = facts(rows)
    found, blocks = block_map(pattern, info, info, block), dense(pattern, info, info, block)
    assert pairs(found) == live(blocks)
    if not isinstance(pattern, Either):  # what two patterns fill together, neither of them says is full
        assert found.full.tolist() == [bool(blocks[query, :, key].all()) for query, key in pairs(found)]


def test_a_stride_is_seen_in_blocks_of_tokens_that_share_it():
    """Sorted by order mod 4, as kernels sort them, only a quarter of the blocks is live, and all of it is full."""
    info = facts([[0] * 64])
    info = info.pick((torch.arange(64) % 4).argsort(stable=True)[None])
    found = block_map(Strided(4), info, info, 8)
    assert found.share == 0.25 and found.full.all()


def test_tokens_of_a_document_must_stand_together():
    info = TokenInfo.from_lengths([4]).map(lambda fact: fact)
    info.document[0] = torch.tensor([0, 1, 0, 0])
    with pytest.raises(ValueError, match="must be contiguous"):
        block_map(Full(), info, info, 2)


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)], ids=str)
def test_nothing_sees_nothing(shape):
    queries, keys = (TokenInfo.from_lengths([length]) for length in shape)
    assert pairs(block_map(Full(), queries, keys, 2)) == []


def test_a_long_row_needs_no_mask_of_all_pairs():
    documents = torch.arange(131_072) // 8192
    order = torch.arange(131_072) % 8192
    zeros = torch.zeros_like(order)
    info = TokenInfo(order[None], order[None, :, None], documents[None], zeros[None], (order == 0)[None])
    tracemalloc.start()
    found = block_map(SlidingWindow(64, 64) | GlobalTokens(), info, info, 64)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Of 128 blocks a document, each sees itself, two neighbours and the first; the first sees all.
    expected = 16 * (128 + 2 * 127 + 2 * 126)
    assert len(found.query) == expected and peak < 100e6


@dataclass(frozen=True)
class Remainder(Pattern):
    def allows(self, query, key):
        return (query.order - key.order) % 3 == 0


@dataclass(frozen=True)
class Branch(Pattern):
    def allows(self, query, key):
        return key.order == 0 if query.is_global else key.order <= query.order


@dataclass(frozen=True)
class Absolute(Pattern):
    def allows(self, query, key):
        return abs(query.order - key.order) <= 2


@dataclass(frozen=True)
class AbsoluteOfTensors(Pattern):
    def allows(self, query, key):
        return (query.order - key.order).abs() <= 2


@dataclass(frozen=True)
class Torch(Pattern):
    def allows(self, query, key):
        return torch.maximum(query.order, key.order) <= 2


@dataclass(frozen=True)
class NoAnswer(Pattern):
    def allows(self, query, key):
        return query.order - key.order


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (Remainder(), r"divisible\(a, 3\) for a % 3 == 0"),
        (Branch(), "instead of if, and, or, not"),
        (Absolute(), r"\(a >= -2\) & \(a <= 2\) for abs\(a\) <= 2"),
        (AbsoluteOfTensors(), r"AbsoluteOfTensors\(\) cannot be read on ranges of tokens .*see Pattern"),
        (Torch(), r"Torch\(\) cannot be read on ranges of tokens .*see Pattern"),
        (NoAnswer(), r"NoAnswer\(\) answers Range and not yes or no: it must compare facts"),
        (Neighbourhood(1, 1, first_axis=1), "have 2 coordinate axes; axis 2 does not exist"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_cannot_be_read_on_ranges_names_the_remedy(pattern, message):
    info = rich([[0] * 6])
    with pytest.raises(ConfigError, match=message):
        block_map(pattern, info, info, 2)
