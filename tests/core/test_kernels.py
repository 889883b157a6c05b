"""Every kernel is the formula, which is the formula pair by pair."""

from __future__ import annotations

from functools import partial
from itertools import product

import pytest
import torch

from mmattn import Visibility
from mmattn.patterns import Facts
from tests.core.asking import HERE, asked, inputs, outcome
from tests.core.bias_examples import BIASES, a_bias
from tests.core.examples import LAYOUTS, LONG, LONG_KEYS, rich
from tests.core.pairwise import pairwise
from tests.core.rules import PATTERNS, RULES, listed

pytestmark = pytest.mark.usefixtures("small_blocks")
HEADS = 4
KEYS = rich([[0, 0, 0, 0, 1, 1, 1, -1], [2, 2, 3, 3, 3, 3, 3, 3]])
EVERYTHING = {
    "name": list(PATTERNS),
    "bias": list(BIASES),
    "layout": list(LONG),
    "key_heads": [4, 2, 1],
    "cross": [False, True],
}
FAST = [name for name in HERE if name != "reference"]


def words(case):
    return "-".join(map(str, case.values()))


def one_pair(bias, scores, queries, keys, row, query, key):
    """Scores (heads,) of one pair of tokens as the bias leaves them, read as FlexAttention reads them."""
    if bias is None:
        return scores
    own, other = Facts(queries, lambda fact: fact[row, query]), Facts(keys, lambda fact: fact[row, key])
    return bias(scores, torch.arange(HEADS), own, other)


def by_hand(query, key, value, visibility, sees, scale, bias):
    queries, keys, out = visibility.queries, visibility.keys, torch.zeros_like(query)
    key, value = (each.repeat_interleave(HEADS // key.shape[1], 1) for each in (key, value))
    for row in range(len(query)):
        others = listed(keys, row)
        for i, own in enumerate(listed(queries, row)):
            seen = [j for j, other in enumerate(others) if own.document == other.document >= 0 and sees(own, other)]
            if seen:
                products = [(query[row, :, i] * key[row, :, j]).sum(-1) * scale for j in seen]
                pairs = zip(products, seen, strict=True)
                scores = torch.stack([one_pair(bias, score, queries, keys, row, i, j) for score, j in pairs], -1)
                weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
                out[row, :, i] = (weights[..., None] * value[row][:, seen]).sum(1)
    return out


def compare(visibility, bias, key_heads, one, other):
    leaves = inputs(visibility, HEADS, key_heads)
    learned = [] if bias is None else list(bias.parameters())
    results = [outcome(each(*leaves, visibility, scale=0.3, bias=bias), [*leaves, *learned]) for each in (one, other)]
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize("case", pairwise(**{**EVERYTHING, "layout": list(LAYOUTS)}), ids=words)
def test_the_formula_is_what_it_says(case):
    name = case["name"]
    visibility = Visibility(PATTERNS[name], rich(LAYOUTS[case["layout"]]), KEYS if case["cross"] else None)
    hand = partial(by_hand, sees=RULES[name].sees)
    compare(visibility, a_bias(case["bias"], HEADS), case["key_heads"], partial(asked, "reference"), hand)


def check(kernel, name, bias, layout, key_heads, cross):
    visibility = Visibility(PATTERNS[name], rich(LONG[layout]), rich(LONG_KEYS[layout]) if cross else None)
    compare(visibility, a_bias(bias, HEADS), key_heads, partial(asked, kernel), partial(asked, "reference"))


@pytest.mark.parametrize("case", pairwise(**EVERYTHING), ids=words)
@pytest.mark.parametrize("kernel", FAST)
def test_every_kernel_is_the_formula_with_gradients(kernel, case):
    check(kernel, **case)


@pytest.mark.slow
@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("kernel", FAST)
def test_and_so_in_every_combination(kernel, name, bias):
    for layout, key_heads, cross in product(*(EVERYTHING[each] for each in ("layout", "key_heads", "cross"))):
        check(kernel, name, bias, layout, key_heads, cross)
