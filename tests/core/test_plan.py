"""A plan computes every live pair of blocks once and no other, with the masks that the pattern has there."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from torch.nn.functional import pad

from mmattn import Causal, Visibility
from mmattn.kernels.plan import draft, plan
from mmattn.kernels.tiles import FULL
from mmattn.patterns import block_map
from tests.core.examples import LONG, LONG_KEYS, facts, rich
from tests.core.random_tokens import TREES, sides
from tests.core.rules import PATTERNS

pytestmark = pytest.mark.usefixtures("small_blocks")


def computed(part):
    """(query block, key block, number of its tile) of every pair that the part's calls compute."""
    for call in part.calls:
        tiles = torch.full_like(call.keys, FULL) if call.tiles is None else call.tiles.expand_as(call.keys)
        for query, keys, numbers in zip(call.queries.tolist(), call.keys.tolist(), tiles.tolist(), strict=True):
            yield from ((query, key, number) for key, number in zip(keys, numbers, strict=True))


def check_part(part, block):
    """Returns how many pairs of blocks it computes."""
    side = part.sides
    mask = Visibility(side.pattern, side.queries, side.keys).mask[0, 0]
    built = torch.zeros_like(pad(mask, (0, -mask.shape[1] % block, 0, -mask.shape[0] % block)))
    done = list(computed(part))
    for query, key, number in done:
        built[query * block : (query + 1) * block, key * block : (key + 1) * block] = part.tiles[number]
    assert (built[: mask.shape[0], : mask.shape[1]] == mask).all()
    blocks = block_map(side.pattern, side.queries, side.keys, block)
    assert sorted((query, key) for query, key, _ in done) == list(
        zip(blocks.query.tolist(), blocks.key.tolist(), strict=True)
    )
    assert (part.tiles[FULL]).all() and sum(number == FULL for *_, number in done) == blocks.full.sum()
    others = part.tiles[1:].flatten(1).tolist()
    assert len(set(map(tuple, others))) == len(others)
    return len(done)


def check(visibility):
    planned = plan(visibility)
    pairs = sum(check_part(part, planned.block) for part in planned.parts) * planned.block**2
    assert draft(visibility).computed() == pairs
    whole = visibility.queries.order.numel() * visibility.keys.order.shape[1]
    assert planned.share == pytest.approx(pairs / max(1, whole))


@pytest.mark.parametrize("cross", [False, True], ids=["self", "cross"])
@pytest.mark.parametrize("layout", LONG)
@pytest.mark.parametrize("name", PATTERNS)
def test_every_live_pair_of_blocks_is_computed_once_with_its_mask(name, layout, cross):
    check(Visibility(PATTERNS[name], rich(LONG[layout]), rich(LONG_KEYS[layout]) if cross else None))


@settings(max_examples=60)
@given(TREES, sides(40))
def test_so_it_is_for_any_pattern_and_tokens(pattern, facts_of_both):
    check(Visibility(pattern, *facts_of_both))


def test_a_plan_is_made_once_a_visibility():
    visibility = Visibility(Causal(), facts([[0] * 13]))
    assert plan(visibility) is plan(visibility) and draft(visibility) is draft(visibility)
