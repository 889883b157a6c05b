"""From when on skipping blocks pays here: what is shipped, what was measured, and what `auto` says it takes."""

from __future__ import annotations

import re

import pytest
import torch

from mmattn import Causal, ConfigError, Full, SlidingWindow, TokenInfo, Visibility
from mmattn.biases import ALiBi, SoftCap
from mmattn.kernels import Request, chosen
from mmattn.kernels.crossover import SHIPPED, Crossover, crossover, place


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("MMATTN_CACHE", str(tmp_path / "cache"))
    crossover.cache_clear()
    yield
    crossover.cache_clear()


def test_without_a_measurement_it_is_the_shipped_one():
    assert crossover() is SHIPPED and not place().exists()
    lengths = list(SHIPPED.shares)
    assert lengths == sorted(lengths) and list(SHIPPED.shares.values()) == sorted(SHIPPED.shares.values())
    assert all(0 < share < 1 for share in SHIPPED.shares.values())


def test_the_largest_share_that_pays_grows_with_the_pairs_of_tokens():
    measured = Crossover({10: 0.2, 100: 0.6}, "here")
    for pairs, share in ((0, 0.0), (99, 0.0), (100, 0.2), (50 * 50, 0.2), (9999, 0.2), (100 * 100, 0.6), (10**8, 0.6)):
        assert measured.share(pairs) == share
    assert Crossover({10: 0.5, 100: 0.3}, "here").share(100**2) == 0.3  # not that of shorter sequences
    assert Crossover({}, "never").share(10**9) == 0


def test_what_was_measured_is_kept_for_this_machine(tmp_path):
    assert crossover() is SHIPPED
    measured = Crossover({64: 0.25, 256: 0.5}, "on a desk")
    assert measured.save() == place() == tmp_path / "cache" / "crossover.json"
    assert crossover() == measured and crossover() is crossover()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"shares": {"a": 1}, "measured": ""}', '{"shares": [1], "measured": ""}', '{"shares": {}}'],
)
def test_a_damaged_file_names_itself_and_the_remedy(text):
    place().parent.mkdir()
    place().write_text(text)
    with pytest.raises(
        ConfigError, match=r"crossover\.json does not hold .* delete it, or run `mmattn kernels --measure`"
    ):
        crossover()


def test_its_place_is_the_users_cache_unless_moved(monkeypatch, tmp_path):
    monkeypatch.setenv("MMATTN_CACHE", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert place() == tmp_path / ".cache" / "mmattn" / "crossover.json"


PLAIN, PADDED = TokenInfo.from_lengths([256]), TokenInfo.from_lengths([256, 100])


@pytest.mark.parametrize(
    ("pattern", "info", "bias", "shares", "kernel", "why"),
    [
        (Full(), PLAIN, SoftCap(), {}, "blockwise", "sdpa cannot: torch's fused kernels add to scores, and SoftCap"),
        (Full(), PLAIN, None, {1: 1.0}, "sdpa", "full or causal, one document a row, no padding: needs no mask"),
        (Causal(), PLAIN, None, {1: 1.0}, "sdpa", "needs no mask"),
        (SlidingWindow(8), PLAIN, None, {257: 1.0}, "sdpa", "65536 pairs of tokens are too few for skipping to pay"),
        (Causal(), PLAIN, ALiBi(1), {257: 1.0}, "sdpa", "too few"),
        (SlidingWindow(8), PLAIN, None, {256: 0.5}, "blockwise", "computes 44% of the pairs .*; pays here up to 50%"),
        (SlidingWindow(8), PLAIN, None, {256: 0.4}, "sdpa", "skipping would leave 44% .*; pays here up to 40%"),
        (Causal(), PADDED, None, {256: 0.5}, "blockwise", "computes 41% of the pairs"),
        (Causal(), PLAIN, ALiBi(1), {256: 0.9}, "blockwise", "computes 62% of the pairs"),
    ],
)  # fmt: skip
def test_auto_says_why_it_takes_a_kernel(monkeypatch, pattern, info, bias, shares, kernel, why):
    monkeypatch.setattr("mmattn.kernels.plan.COST", {64: 1.0})  # 7 of 16 blocks of a window, 10 of a triangle
    Crossover(shares, "for this test").save()
    tensors = torch.randn(3, len(info.order), 1, 256, 4)
    choice = chosen(Request(*tensors, Visibility(pattern, info), 0.5, bias))
    assert choice.kernel.name == kernel
    assert re.search(why, choice.why)
