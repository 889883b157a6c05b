"""A query that sees nothing gives exactly 0, and no gradient comes back from it."""

from __future__ import annotations

import pytest
import torch

from mmattn import Causal, Full, GlobalTokens, SlidingWindow, TokenInfo, Visibility
from mmattn.patterns import Strided
from tests.core.asking import HERE, asked, inputs
from tests.core.bias_examples import a_bias
from tests.core.examples import LONG, rich
from tests.core.pairwise import pairwise

pytestmark = pytest.mark.usefixtures("small_blocks")
FAR = ~SlidingWindow(1) & Causal()
SPARSE = FAR & (Strided(3) | GlobalTokens())  # in parts, of which one may see what another does not
SHORT = TokenInfo.from_lengths([3, 2])
CASES = {
    **{layout: (FAR, rich(LONG[layout]), None) for layout in LONG},
    **{f"sparse, {layout}": (SPARSE, rich(LONG[layout]), None) for layout in LONG},
    "empty row": (Full(), SHORT, TokenInfo.from_lengths([5, 0])),
    "all padding": (Full(), SHORT, TokenInfo.from_lengths([0, 0], length=4)),
    "no keys": (Full(), SHORT, TokenInfo.from_lengths([0, 0])),
}


SETTINGS = pairwise(
    case=list(CASES),
    bias=["no bias", "alibi", "buckets", "soft cap"],
    dtype=[torch.float64, torch.float32, torch.bfloat16],
)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: "-".join(map(str, setting.values())))
@pytest.mark.parametrize("kernel", HERE)
def test_it_gives_zeros_with_zero_gradients(kernel, setting):
    case, bias, dtype = setting.values()
    visibility = Visibility(*CASES[case])
    changed = a_bias(bias, 4, dtype)
    leaves = inputs(visibility, key_heads=2, dtype=dtype)
    learned = [] if changed is None else list(changed.parameters())
    out = asked(kernel, *leaves, visibility, bias=changed)
    dead = ~visibility.mask.any(-1).expand(out.shape[:-1])
    assert dead.any()
    assert (out[dead] == 0).all() and (out[~dead] != 0).all()
    given = [*leaves, *learned]
    from_dead = torch.autograd.grad(out[dead].sum(), given, retain_graph=True, materialize_grads=True)
    assert all((each == 0).all() for each in from_dead)
    from_all = torch.autograd.grad(out.square().sum(), given, materialize_grads=True)
    assert (from_all[0][dead] == 0).all() and all(each.isfinite().all() for each in from_all)
