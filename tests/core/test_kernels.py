"""Every kernel against the formula, pair by pair."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import pytest
import torch

from mmattn import Attention, Backbone, ConfigError, TokenInfo, Visibility, attend
from mmattn.kernels import KERNELS
from tests.core.examples import LAYOUTS, PATTERNS, facts


class Token(NamedTuple):
    order: int
    document: int
    is_global: bool
    prefix: bool


SEES = {
    "full": lambda query, key: True,
    "causal": lambda query, key: key.order <= query.order,
    "window": lambda query, key: 0 <= query.order - key.order <= 2,
    "window or global": lambda query, key: abs(query.order - key.order) <= 1 or query.is_global or key.is_global,
    "prefix": lambda query, key: key.order <= query.order or key.prefix,
    "far and causal": lambda query, key: query.order - key.order > 1,
}
KEYS = facts([[0, 0, 0, 0, 1, 1, 1, -1], [2, 2, 3, 3, 3, 3, 3, 3]])


def listed(info: TokenInfo, row: int) -> list[Token]:
    columns = (info.order, info.document, info.is_global, info.extra["prefix"])
    return [Token(*each) for each in zip(*(column[row].tolist() for column in columns), strict=True)]


def by_hand(query, key, value, queries, keys, sees, scale):
    out = torch.zeros_like(query)
    groups = query.shape[1] // key.shape[1]
    for b in range(len(queries.order)):
        others = listed(keys, b)
        for i, own in enumerate(listed(queries, b)):
            seen = [j for j, each in enumerate(others) if own.document == each.document >= 0 and sees(own, each)]
            for h in range(query.shape[1]) if seen else ():
                scores = query[b, h, i] @ key[b, h // groups, seen].T * scale
                out[b, h, i] = scores.softmax(-1) @ value[b, h // groups, seen]
    return out


@pytest.mark.parametrize("key_heads", [4, 2], ids=["plain heads", "grouped"])
@pytest.mark.parametrize("keys", [None, KEYS], ids=["self", "cross"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_is_the_formula_with_gradients(kernel, name, layout, keys, key_heads):
    torch.manual_seed(0)
    queries = facts(LAYOUTS[layout])
    visibility = Visibility(PATTERNS[name], queries, keys)
    length = visibility.keys.order.shape[1]
    query = torch.randn(2, 4, 6, 8, dtype=torch.float64, requires_grad=True)
    key, value = (torch.randn(2, key_heads, length, 8, dtype=torch.float64, requires_grad=True) for _ in range(2))
    probe = torch.randn(2, 4, 6, 8, dtype=torch.float64)
    expected = by_hand(query, key, value, queries, visibility.keys, SEES[name], 0.3)
    out = attend(query, key, value, visibility, 0.3, kernel)
    torch.testing.assert_close(out, expected, atol=1e-10, rtol=0)
    wanted = torch.autograd.grad((expected * probe).sum(), (query, key, value), materialize_grads=True)
    got = torch.autograd.grad((out * probe).sum(), (query, key, value))
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=0)


def test_the_scale_is_one_over_the_root_of_the_width_unless_given():
    query, info = torch.randn(1, 1, 3, 16), TokenInfo.from_lengths([3])
    seen = Visibility(PATTERNS["full"], info)
    torch.testing.assert_close(attend(query, query, query, seen), attend(query, query, query, seen, 0.25))


def test_errors_name_the_remedy():
    with pytest.raises(ConfigError, match="heads=3 does not divide dim=16"):
        Attention(16, 3)
    with pytest.raises(ConfigError, match="key_heads=3 does not divide heads=4"):
        Attention(16, 4, key_heads=3)
    with pytest.raises(ConfigError, match="heads=4 and key_heads=0 must be at least 1"):
        Attention(16, 4, key_heads=0)
    with pytest.raises(ConfigError, match="Did you mean 'sdpa'"):
        Attention(16, 2, kernel="spda")
    with pytest.raises(ConfigError, match="Did you mean 'near'"):
        Backbone(16, 1, {"near": partial(Attention, heads=2)}, ["naer"])
    with pytest.raises(ConfigError, match="depth=-1, .* needs a mixer and depth ≥ 0"):
        Backbone(16, -1, {"near": partial(Attention, heads=2)})
