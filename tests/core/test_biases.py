"""Biases against their papers, and none goes without an example."""

from __future__ import annotations

from importlib import resources
from inspect import isabstract

import pytest
import torch
from hydra import compose, initialize_config_module
from hydra.utils import instantiate
from transformers.models.t5.modeling_t5 import T5Attention

import mmattn.biases
from mmattn import ConfigError, Full, Visibility
from mmattn.biases import Added, ALiBi, Bias, Chain, DistanceBuckets, GridOffsets, SoftCap, learns
from mmattn.kernels.biased import biased, toeplitz, values
from tests.core.bias_examples import BIASES, a_bias
from tests.core.examples import facts, rich

HEADS = 4
YAMLS = sorted(
    each.name.removesuffix(".yaml")
    for each in (resources.files("mmattn.conf") / "bias").iterdir()
    if each.name.endswith(".yaml")
)
EXAMPLES = [name for name, make in BIASES.items() if make]
INFO = rich([[0] * 11])


def dense(bias, info=INFO):
    """The values of a bias that adds, (heads, queries, keys)."""
    found = values(bias, HEADS, *Visibility(Full(), info).facts)
    return found.expand(len(info.order), HEADS, *[info.order.shape[1]] * 2)[0]


def classes(bias):
    return {type(each) for each in bias.modules() if isinstance(each, Bias)}


def test_every_bias_has_an_example():
    exported = {getattr(mmattn.biases, name) for name in mmattn.biases.__all__}
    concrete = {each for each in exported if isinstance(each, type) and not isabstract(each)}
    assert concrete == set().union(*(classes(a_bias(name, HEADS)) for name in EXAMPLES))


@pytest.mark.parametrize("name", YAMLS)
def test_every_config_makes_a_bias_that_has_an_example(name):
    with initialize_config_module("mmattn.conf", version_base=None):
        bias = instantiate(compose(overrides=[f"+bias={name}"]).bias)(heads=HEADS)
    assert isinstance(bias, Bias) and bias.heads == HEADS
    assert type(bias) in set().union(*(classes(a_bias(each, HEADS)) for each in EXAMPLES))


@pytest.mark.parametrize(
    ("heads", "slopes"),
    [
        (1, [2**-8]),
        (8, [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256]),
        (12, [2**-n for n in range(1, 9)] + [2 ** -(n + 0.5) for n in range(4)]),
    ],
)
def test_alibi_falls_with_distance_by_the_slopes_of_the_paper(heads, slopes):
    bias = ALiBi(heads)
    assert bias.slopes.tolist() == pytest.approx(slopes)
    found = values(bias, heads, *Visibility(Full(), INFO).facts)[0]
    for head, slope in enumerate(slopes):
        expected = [[-slope * abs(i - j) for j in range(11)] for i in range(11)]
        torch.testing.assert_close(found[head], torch.tensor(expected))


@pytest.mark.parametrize(
    "sizes", [{}, {"buckets": 8, "furthest": 9}, {"buckets": 10, "furthest": 50}, {"buckets": 4}], ids=str
)
@pytest.mark.parametrize("causal", [False, True])
def test_buckets_are_those_of_t5(causal, sizes):
    bias = DistanceBuckets(HEADS, causal=causal, **sizes)
    offset = torch.arange(-300, 301)
    names = {"buckets": "num_buckets", "furthest": "max_distance"}
    theirs = {names[name]: size for name, size in sizes.items()}
    expected = T5Attention._relative_position_bucket(offset, bidirectional=not causal, **theirs)
    assert torch.equal(bias.bucket(offset), expected)
    # All are used, but for one where keys may come later: such a key is never at distance 0.
    assert len(expected.unique()) == len(bias.table) - (not causal)
    assert torch.equal(dense(bias)[1, 7, 2], bias.table[bias.bucket(torch.tensor(-5)), 1])


@pytest.mark.parametrize(("rows", "columns", "first_axis"), [(2, 1, 0), (0, 0, 0), (9, 9, 0), (1, 1, 1)])
def test_grid_offsets_are_looked_up_pair_by_pair(rows, columns, first_axis):
    torch.manual_seed(0)
    bias = GridOffsets(HEADS, rows, columns, first_axis=first_axis)
    info = INFO if not first_axis else with_axis_in_front(INFO)
    found, place = dense(bias, info), info.coordinates[0, :, first_axis:].tolist()

    def near(offset, most):
        return max(-most, min(most, offset)) + most

    for i, (row, column) in enumerate(place):
        for j, (to_row, to_column) in enumerate(place):
            index = near(row - to_row, rows) * (2 * columns + 1) + near(column - to_column, columns)
            expected = bias.table[-1 if -1 in (row, to_row) else index]
            assert torch.equal(found[:, i, j], expected)


def with_axis_in_front(info):
    longer = info.map(lambda fact: fact)
    object.__setattr__(longer, "coordinates", torch.cat([info.order[..., None], info.coordinates], -1))
    return longer


def test_a_cap_bends_scores_and_a_chain_goes_in_its_order():
    scores = torch.tensor([-1e3, -2.0, -0.1, 0.0, 0.1, 2.0, 1e3]).expand(1, HEADS, 7, 7)
    sides = Visibility(Full(), rich([[0] * 7])).facts
    capped = biased(SoftCap(cap=2.0), scores, *sides)
    torch.testing.assert_close(capped, 2 * torch.tanh(scores / 2))
    assert capped.abs().max() <= 2 and (capped.diff(dim=-1) > 0).all()
    alibi = values(ALiBi(HEADS), HEADS, *sides)
    for order, expected in (
        ([ALiBi, SoftCap], 50 * torch.tanh((scores + alibi) / 50)),
        ([SoftCap, ALiBi], 50 * torch.tanh(scores / 50) + alibi),
    ):
        torch.testing.assert_close(biased(Chain(HEADS, order), scores, *sides), expected)


BY_DISTANCE = [name for name in EXAMPLES if getattr(a_bias(name, HEADS), "by_distance", False)]


def test_some_biases_are_by_distance():
    assert BY_DISTANCE == ["alibi", "buckets", "causal buckets"]


@pytest.mark.parametrize("name", BY_DISTANCE)
def test_a_bias_by_distance_depends_on_distance_alone(name):
    bias = a_bias(name, HEADS)
    found = dense(bias)
    for offset in range(-10, 11):
        diagonal = found.diagonal(offset, 1, 2)
        assert torch.equal(diagonal, diagonal[:, :1].expand_as(diagonal))
    others = [rich([[0] * 11]), rich([[0] * 11])]
    others[0].modality.fill_(3), others[0].is_global.fill_(True), others[0].coordinates.fill_(-1)
    others[1].order.add_(5)
    assert all(torch.equal(dense(bias, other), found) for other in others)


@pytest.mark.parametrize("later", [True, False], ids=["full", "causal"])
@pytest.mark.parametrize("name", BY_DISTANCE)
def test_the_view_of_one_vector_holds_the_dense_values(name, later):
    bias = a_bias(name, HEADS)
    view = toeplitz(bias, HEADS, INFO, later, torch.float64)
    expected = dense(bias)
    if not later:
        expected = expected.masked_fill(torch.ones(11, 11, dtype=torch.bool).triu(1), -torch.inf)
    assert torch.equal(view[0].flip(1), expected) and view.untyped_storage().nbytes() == HEADS * 21 * 8


def test_gradients_are_needed_only_where_something_is_learned():
    assert learns(a_bias("buckets", HEADS)) and learns(a_bias("chain", HEADS))
    assert not learns(None) and not learns(ALiBi(2)) and not learns(SoftCap())
    with torch.no_grad():
        assert not learns(a_bias("buckets", HEADS))
    assert not learns(a_bias("buckets", HEADS).requires_grad_(False))


@pytest.mark.parametrize("name", [name for name in EXAMPLES if isinstance(a_bias(name, HEADS), Added)])
def test_values_that_are_added_take_the_type_of_the_scores(name):
    scores = torch.zeros(1, HEADS, 11, 11, dtype=torch.bfloat16)
    found = biased(a_bias(name, HEADS, torch.float32), scores, *Visibility(Full(), INFO).facts)
    assert found.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ALiBi(0), "ALiBi: heads=0 must be a whole number, at least 1"),
        (lambda: DistanceBuckets(2, buckets=7), "buckets=7 must be even, half for each direction"),
        (lambda: DistanceBuckets(2, buckets=2), "buckets=2 must be a whole number, at least 4"),
        (lambda: DistanceBuckets(2, buckets=1, causal=True), "buckets=1 must be a whole number, at least 2"),
        (lambda: DistanceBuckets(2, furthest=8), "furthest=8 must be a whole number, at least 9"),
        (lambda: GridOffsets(2, -1, 1), "rows=-1 must be a whole number, at least 0"),
        (lambda: SoftCap(cap=0.0), "cap=0.0 must be a positive number"),
        (lambda: SoftCap(cap=float("inf")), "cap=inf must be a positive number"),
        (lambda: dense(GridOffsets(HEADS, 1, 1), facts([[0] * 3])), "have 1 coordinate axes; axis 1 does not exist"),
    ],
)
def test_values_that_mean_nothing_are_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()
