"""A query that sees nothing gives exactly 0, and no gradient comes back from it."""

from __future__ import annotations

import pytest
import torch

from mmattn import Causal, Full, SlidingWindow, TokenInfo, Visibility, attend
from mmattn.kernels import KERNELS
from tests.core.examples import LAYOUTS, facts

SELF = [Visibility(~SlidingWindow(1) & Causal(), facts(LAYOUTS[layout])) for layout in LAYOUTS]
CROSS = [
    Visibility(Full(), TokenInfo.from_lengths([3, 2]), TokenInfo.from_lengths([5, 0])),
    Visibility(Full(), TokenInfo.from_lengths([3, 2]), TokenInfo.from_lengths([0, 0], length=4)),
    Visibility(Full(), TokenInfo.from_lengths([3, 2]), TokenInfo.from_lengths([0, 0])),
]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("key_heads", [4, 2])
@pytest.mark.parametrize("visibility", [*SELF, *CROSS], ids=[*LAYOUTS, "empty row", "all padding", "no keys"])
@pytest.mark.parametrize("kernel", sorted(set(KERNELS) - {"flex", "varlen"}))  # these have tests of their own
def test_it_gives_zeros_with_zero_gradients(kernel, visibility, key_heads, dtype):
    queries, keys = visibility.queries.order.shape[1], visibility.keys.order.shape[1]
    query = torch.randn(2, 4, queries, 8, dtype=dtype, requires_grad=True)
    key, value = (torch.randn(2, key_heads, keys, 8, dtype=dtype, requires_grad=True) for _ in range(2))
    out = attend(query, key, value, visibility, kernel=kernel)
    dead = ~visibility.mask.any(-1).expand(2, 4, queries)
    assert dead.any()
    assert (out[dead] == 0).all() and (out[~dead] != 0).all()
    from_dead = torch.autograd.grad(out[dead].sum(), (query, key, value), retain_graph=True)
    assert all((each == 0).all() for each in from_dead)
    from_all = torch.autograd.grad(out.square().sum(), (query, key, value))
    assert (from_all[0][dead] == 0).all() and all(each.isfinite().all() for each in from_all)
