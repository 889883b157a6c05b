"""FlexAttention: its blocks and its mask against the dense mask, and compiled on the CPU against the formula.

A compilation takes seconds, so that a few are shared by many cases: COMPILATIONS in all.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from mmattn import Causal, ConfigError, Full, GlobalTokens, PrefixLM, SlidingWindow, TokenInfo, Visibility, attend
from mmattn.biases import ALiBi, Chain, DistanceBuckets, GridOffsets, SoftCap
from mmattn.kernels import KERNELS, Request, chosen, flex_refusal
from mmattn.kernels.flex import Tokens
from mmattn.kernels.flex_blocks import BLOCK, lists, live_blocks
from mmattn.patterns import ChunkedCausal, Neighbourhood, Strided
from mmattn.patterns.flat import padded
from mmattn.patterns.visibility import sees
from tests.core.examples import facts
from tests.core.rules import ON_A_LINE

HEADS = 4
COMPILATIONS = 3
MORE = {
    "chunks": ChunkedCausal(100),
    "grid": Neighbourhood(2, 3),
    "strided": Causal() & (SlidingWindow(5) | Strided(40)),
    "wide": SlidingWindow(200, 150),
}
lack = flex_refusal.missing("cpu")
compiles = pytest.mark.skipif(lack is not None, reason=str(lack))


def rows(*each: list[tuple[int, int]]) -> TokenInfo:
    """Rows of (document, tokens), with places on a grid 16 wide."""
    info = facts([[document for document, length in row for _ in range(length)] for row in each])
    return replace(info, coordinates=torch.stack([info.order // 16, info.order % 16], -1))


PACKED = rows([(0, 20), (1, 180)], [(2, 150), (3, 30), (4, 20)])
RIGHT = rows([(0, 150), (-1, 50)], [(1, 60), (2, 140)])
LEFT = rows([(-1, 30), (0, 100)], [(1, 130)])
WHOLE = rows([(0, 256)], [(1, 100), (2, 156)])
LONG = rows([(0, 400)], [(1, 129), (3, 71), (-1, 200)])
KEYS = rows([(0, 70), (5, 30)], [(1, 20), (2, 40), (-1, 40)])
LAYOUTS = {"packed": (PACKED, None), "right": (RIGHT, None), "left": (LEFT, None), "long": (LONG, None)}
LAYOUTS |= {"cross": (RIGHT, KEYS), "cross long": (LONG, PACKED)}


@pytest.fixture(params=LAYOUTS)
def layout(request):
    return LAYOUTS[request.param]


@pytest.mark.parametrize("pattern", [*ON_A_LINE.values(), *MORE.values()], ids=[*ON_A_LINE, *MORE])
def test_every_visible_pair_lies_in_a_listed_block_and_full_blocks_are_wholly_visible(pattern, layout):
    seen = Visibility(pattern, *layout)
    blocks = lists(live_blocks(seen), 2)
    by_block = padded_mask(seen).unflatten(1, (-1, BLOCK)).unflatten(3, (-1, BLOCK))
    some, every = by_block.any(4).any(2), by_block.all(4).all(2)
    partial, full = listed(blocks.keys, blocks.key_numbers), listed(blocks.full_keys, blocks.full_key_numbers)
    assert (some <= partial | full).all() and (full <= every).all() and not (partial & full).any()
    assert torch.equal(listed(blocks.queries, blocks.query_numbers), partial.mT)
    assert torch.equal(listed(blocks.full_queries, blocks.full_query_numbers), full.mT)
    assert all(each.is_contiguous() for each in blocks)  # as the kernels read them, whatever their strides say


def padded_mask(seen: Visibility) -> torch.Tensor:
    spare = [-len(side.order[0]) % BLOCK for side in (seen.keys, seen.queries)]
    return torch.nn.functional.pad(seen.mask[:, 0], (0, spare[0], 0, spare[1]))


def listed(count: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """bool (rows, query blocks, key blocks), read as FlexAttention reads it."""
    dense = torch.zeros(numbers[:, 0].shape, dtype=torch.bool)
    for row, place in [(row, place) for row in range(dense.shape[0]) for place in range(dense.shape[1])]:
        dense[row, place, numbers[row, 0, place, : count[row, 0, place]].long()] = True
    return dense


def test_a_narrow_window_lists_few_blocks_and_a_full_one_needs_no_mask():
    info = TokenInfo.from_lengths([BLOCK * 10])
    narrow, full = (lists(live_blocks(Visibility(pattern, info)), 1) for pattern in (SlidingWindow(9), Full()))
    assert narrow.keys.tolist() == [[[1] + [2] * 9]] and narrow.full_keys.sum() == 0
    assert full.keys.sum() == 0 and full.full_keys.tolist() == [[[10] * 10]]


@pytest.mark.parametrize("pattern", [*ON_A_LINE.values(), *MORE.values()], ids=[*ON_A_LINE, *MORE])
def test_the_mask_of_one_pair_is_the_dense_one(pattern, layout):
    seen = Visibility(pattern, *layout)
    row, i, j = indices(seen)
    assert torch.equal(sees(pattern, tokens(seen.queries).at(row, i), tokens(seen.keys).at(row, j)), padded_mask(seen))


@pytest.mark.parametrize("make", [ALiBi, DistanceBuckets, lambda heads: GridOffsets(heads, 2, 3), SoftCap])
def test_a_bias_of_one_pair_is_the_dense_one(make, layout):
    bias, seen = make(HEADS), Visibility(Full(), *layout)
    row, i, j = indices(seen)
    scores = torch.randn(*torch.broadcast_shapes(row.shape, i.shape, j.shape))
    one = bias(scores, torch.tensor(2), tokens(seen.queries).at(row, i), tokens(seen.keys).at(row, j))
    queries, keys = (len(side.order[0]) for side in (seen.queries, seen.keys))
    all_heads = bias(
        scores[:, None, :queries, :keys].expand(-1, HEADS, -1, -1),
        torch.arange(HEADS)[:, None, None],
        *(side.beside_heads for side in seen.facts),
    )
    torch.testing.assert_close(one[:, :queries, :keys], all_heads[:, 2])


def tokens(info: TokenInfo) -> Tokens:
    return Tokens.of(padded(info, BLOCK))


def indices(seen: Visibility) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    i, j = (torch.arange(-(-len(side.order[0]) // BLOCK) * BLOCK) for side in (seen.queries, seen.keys))
    return torch.arange(2)[:, None, None], i[:, None], j


def compiled_kernels() -> int:
    return torch._dynamo.utils.counters["stats"]["unique_graphs"]


def window_or_global(queries: TokenInfo):
    """float32, without a bias."""
    seen = Visibility(SlidingWindow(3, 2) | GlobalTokens(), queries)
    return seen, inputs(seen, HEADS, torch.float32), None


def causal_with_biases(queries: TokenInfo):
    """bfloat16, grouped queries, three biases in a row."""
    bias = Chain(HEADS, [ALiBi, DistanceBuckets, lambda heads: SoftCap(heads, cap=2.0)])
    seen = Visibility(Causal(), queries)
    return seen, inputs(seen, 2, torch.bfloat16), bias


def cross_on_a_grid(queries: TokenInfo):
    """float32, grouped queries, values of another width, keys of another sequence, every fact read."""
    seen = Visibility(Neighbourhood(1, 3) | PrefixLM(), queries, KEYS)
    return seen, inputs(seen, 2, torch.float32, value_width=24), GridOffsets(HEADS, 2, 3)


CASES = [
    causal_with_biases,
    *(pytest.param(case, marks=pytest.mark.slow) for case in (cross_on_a_grid, window_or_global)),
]


def inputs(seen: Visibility, key_heads: int, dtype: torch.dtype, value_width: int = 16) -> list[torch.Tensor]:
    torch.manual_seed(0)
    queries, keys = (side.order.shape[1] for side in (seen.queries, seen.keys))
    shapes = (2, HEADS, queries, 16), (2, key_heads, keys, 16), (2, key_heads, keys, value_width)
    return [torch.randn(shape).to(dtype) for shape in shapes]


@compiles
@pytest.mark.parametrize("case", CASES)
def test_compiled_on_the_cpu_it_is_the_formula(case):
    before = compiled_kernels()
    for info in (PACKED, RIGHT, LEFT, WHOLE):  # which are two blocks long
        seen, given, bias = case(info)
        with torch.no_grad():
            out = attend(*given, seen, 0.3, "flex", bias=bias)
            plain = attend(*given, seen, 0.3, "reference", bias=bias)
            exact = attend(*(each.double() for each in given), seen, 0.3, "reference", bias=bias)
        dead = ~seen.mask.any(-1).expand(out.shape[:3])
        assert out.dtype == given[0].dtype and (out[dead] == 0).all()
        unit = torch.finfo(out.dtype).eps * 2 ** math.floor(math.log2(float(exact.abs().max())))
        assert (out - exact).abs().max() <= 2 * (plain - exact).abs().max() + 4 * unit
    assert compiled_kernels() <= before + 1, "a kernel serves all facts and lengths of as many blocks"
    assert len(CASES) == COMPILATIONS


def small(dtype: torch.dtype = torch.float32, **changes: int):
    seen = Visibility(Full(), TokenInfo.from_lengths([3, 2]))
    return [torch.randn(2, 2, 3, 8, dtype=dtype) for _ in range(3)], seen


def test_it_does_not_train_on_a_cpu():
    given, seen = small()
    with pytest.raises(ConfigError, match="kernel=flex: .*no CPU backward; kernel=blockwise trains on any device"):
        attend(given[0].requires_grad_(), *given[1:], seen, kernel="flex")
    with pytest.raises(ConfigError, match="no CPU backward"):
        attend(*small()[0], seen, kernel="flex", bias=DistanceBuckets(2))


@compiles
def test_without_gradients_what_could_train_is_no_hindrance():
    given, seen = small()
    request = Request(given[0].requires_grad_(), *given[1:], seen, 1.0, DistanceBuckets(2))
    with torch.no_grad():
        assert KERNELS["flex"].refusal(request) is None
    assert "no CPU backward" in str(KERNELS["flex"].refusal(request))


def test_what_it_lacks_is_said_with_a_remedy():
    given, seen = small()
    with pytest.raises(ConfigError, match="drops no weights; set weight_dropout=0, or choose kernel=blockwise"):
        attend(*given, seen, kernel="flex", dropout=0.1)
    with pytest.raises(ConfigError, match="got float64, float64, float64; convert them"):
        attend(*small(torch.float64)[0], seen, kernel="flex")
    with pytest.raises(ConfigError, match="convert them to one dtype"):
        attend(*given[:2], given[2].bfloat16(), seen, kernel="flex")
    empty = [each[:, :, :0] for each in given]
    with pytest.raises(ConfigError, match="no empty tensors; choose kernel=reference"):
        attend(*empty, Visibility(Full(), TokenInfo.from_lengths([0, 0])), kernel="flex")


@compiles
def test_autocast_makes_its_inputs_alike():
    given, seen = small()
    request = Request(*given[:2], given[2].bfloat16(), seen, 1.0)
    with torch.autocast("cpu", torch.bfloat16):
        assert KERNELS["flex"].refusal(request) is None


def test_without_a_compiler_it_says_so(monkeypatch):
    flex_refusal.missing.cache_clear()
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    monkeypatch.setattr("sys.platform", "linux")
    given, seen = small()
    with pytest.raises(ConfigError, match="needs a C\\+\\+ compiler, and there is no no-such-compiler; install it"):
        attend(*given, seen, kernel="flex")
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "NO AVX")
    flex_refusal.missing.cache_clear()
    with pytest.raises(ConfigError, match="x86 CPUs with AVX2 alone"):
        attend(*given, seen, kernel="flex")
    flex_refusal.missing.cache_clear()


def test_auto_never_takes_it_on_a_cpu():
    info = TokenInfo.from_lengths([2048])
    query = torch.randn(1, 2, 2048, 16)
    for pattern in (*ON_A_LINE.values(), Strided(64)):
        if not isinstance(pattern, PrefixLM):
            assert chosen(Request(query, query, query, Visibility(pattern, info), 1.0)).kernel.name != "flex"
