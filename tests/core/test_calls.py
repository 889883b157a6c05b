"""How the pairs of blocks of rows of 64 tokens, in blocks of four, become calls."""

from __future__ import annotations

import pytest
import torch

from mmattn import Causal, Full, GlobalTokens, SlidingWindow, TokenInfo, Visibility
from mmattn.kernels.plan import plan
from mmattn.patterns import Neighbourhood, Strided
from tests.core.examples import facts


@pytest.fixture(autouse=True)
def blocks_of_four(monkeypatch):
    monkeypatch.setattr("mmattn.kernels.plan.COST", {4: 1.0})


def only_part(pattern, rows):
    (part,) = plan(Visibility(pattern, facts(rows))).parts
    return part


def test_equal_rows_of_blocks_share_a_call_and_a_row_of_tiles():
    part = only_part(SlidingWindow(3), [[0] * 64])
    first, others = part.calls
    assert first.queries.tolist() == [0] and first.keys.tolist() == [[0]]
    assert others.queries.tolist() == list(range(1, 16))
    assert others.keys.tolist() == [[query - 1, query] for query in range(1, 16)]
    assert others.tiles.shape == (1, 2) and others.even == (1, 1)
    assert len(part.tiles) == 3  # full, the diagonal, what is left of it


def test_a_global_token_widens_no_row_but_its_own():
    part = only_part(SlidingWindow(2) | GlobalTokens(), [[0] * 64])
    widths = {query: call.keys.shape[1] for call in part.calls for query in call.queries.tolist()}
    assert widths[0] == 16 and max(width for query, width in widths.items() if query) == 3


def test_rows_of_full_blocks_need_no_tiles():
    part = only_part(Full(), [[0] * 64])
    (call,) = part.calls
    assert call.tiles is None and call.keys.shape == (16, 16) and call.even == (1, 0)


def test_even_distances_are_found_between_any_equal_rows():
    """Documents of two blocks: the queries of each second block see two blocks, two further each time."""
    part = only_part(Causal(), [[n for n in range(8) for _ in range(8)]])
    one, two = part.calls
    assert (one.queries.tolist(), one.even) == (list(range(0, 16, 2)), (2, 2))
    assert (two.queries.tolist(), two.even) == (list(range(1, 16, 2)), (2, 2))
    assert two.keys.tolist() == [[query - 1, query] for query in range(1, 16, 2)]


def test_keys_that_are_no_run_are_not_even():
    """On a grid of 8 columns, in blocks of half a row, the blocks of the neighbours are two apart."""
    grid = torch.stack([torch.arange(64) // 8, torch.arange(64) % 8], -1)
    info = TokenInfo.from_lengths([64], coordinates=grid[None])
    (part,) = plan(Visibility(Neighbourhood(1, 0), info)).parts
    middle = next(call for call in part.calls if call.keys.shape[1] == 3)
    assert middle.keys[0].tolist() == [0, 2, 4] and middle.even is None


def test_a_stride_is_sorted_when_that_pays():
    info = facts([[0] * 4096])
    (part,) = plan(Visibility(Strided(64), info)).parts
    assert part.sides.query_order is not None and part.sides.keys is part.sides.queries
    assert all(call.tiles is None for call in part.calls)  # every block holds one remainder
    (small,) = plan(Visibility(Strided(64), facts([[0] * 64]))).parts
    assert small.sides.query_order is None
