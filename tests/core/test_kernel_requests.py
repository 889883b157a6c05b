"""What attention is asked for: shapes that fit, kernels by name, and refusals that say what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mmattn import Attention, Causal, ConfigError, Full, TokenInfo, Visibility, attend
from mmattn.biases import ALiBi
from mmattn.kernels import KERNELS, Request, named
from mmattn.kernels.request import Kernel
from tests.core.asking import ELSEWHERE, inputs
from tests.core.bias_examples import BIASES, a_bias
from tests.core.examples import rich

INFO = TokenInfo.from_lengths([3, 2])


@pytest.mark.parametrize(
    ("query", "key", "value", "message"),
    [
        ((2, 3, 8), (2, 4, 3, 8), (2, 4, 3, 8), r"takes \(batch, heads, length, head_dim\) thrice and got query"),
        ((2, 4, 3, 8), (1, 4, 3, 8), (1, 4, 3, 8), "batches must be equal"),
        ((2, 4, 3, 8), (2, 4, 3, 6), (2, 4, 3, 8), "queries as wide as keys"),
        ((2, 4, 3, 8), (2, 4, 3, 8), (2, 2, 3, 8), "keys and values alike"),
        ((2, 4, 3, 8), (2, 4, 3, 8), (2, 4, 4, 8), "keys and values alike"),
        ((2, 4, 3, 8), (2, 3, 3, 8), (2, 3, 3, 8), "3 key heads do not divide 4 query heads"),
        ((2, 2, 3, 8), (2, 4, 3, 8), (2, 4, 3, 8), "4 key heads do not divide 2 query heads"),
        ((2, 4, 5, 8), (2, 4, 3, 8), (2, 4, 3, 8), r"knows \(batch, queries, keys\) \(2, 3, 3\): build it"),
        ((2, 4, 3, 8), (2, 4, 5, 8), (2, 4, 5, 8), r"keys\) \(2, 3, 3\)"),
        ((4, 4, 3, 8), (4, 4, 3, 8), (4, 4, 3, 8), r"keys\) \(2, 3, 3\)"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kernel", ["auto", *KERNELS])
def test_shapes_that_do_not_fit_are_named(kernel, query, key, value, message):
    with pytest.raises(ConfigError, match=message):
        attend(*map(torch.zeros, (query, key, value)), Visibility(Full(), INFO), kernel=kernel)


def test_facts_of_unlike_batches_are_named():
    visibility = Visibility(Full(), INFO, TokenInfo.from_lengths([3]))
    with pytest.raises(ConfigError, match="facts of 2 rows of queries and of 1 rows of keys"):
        attend(*inputs(Visibility(Full(), INFO)), visibility)


def test_a_bias_for_other_heads_and_a_chance_that_is_none_are_named():
    visibility = Visibility(Full(), INFO)
    tensors = inputs(visibility)
    with pytest.raises(ConfigError, match="ALiBi is made for 2 heads, and the query has 4"):
        attend(*tensors, visibility, bias=ALiBi(2))
    for chance in (-0.1, 1.0):
        with pytest.raises(ConfigError, match=f"dropout={chance} of the attention weights must be at least 0 and less"):
            attend(*tensors, visibility, dropout=chance)


def test_kernels_are_chosen_by_name():
    assert all(name == kernel.name and kernel.about for name, kernel in KERNELS.items())
    assert all(named(name) is kernel for name, kernel in KERNELS.items())
    with pytest.raises(ConfigError, match="no kernel 'blockwize'; known: auto, reference, .*Did you mean 'blockwise'"):
        named("blockwize")


@pytest.mark.parametrize("bias", BIASES)
def test_sdpa_refuses_what_does_not_add_and_the_others_nothing(bias):
    visibility = Visibility(Causal(), rich([[0] * 5 + [-1]]))
    request = Request(*inputs(visibility), visibility, 0.3, a_bias(bias, 4))
    assert KERNELS["reference"].refusal(request) is None and KERNELS["blockwise"].refusal(request) is None
    refusal = KERNELS["sdpa"].refusal(request)
    if bias in ("soft cap", "chain"):
        assert refusal and refusal.endswith("choose kernel=blockwise.")
        with pytest.raises(ConfigError, match="^kernel=sdpa: torch's fused kernels add to scores"):
            KERNELS["sdpa"](request)
    else:
        assert refusal is None and KERNELS["sdpa"](request).shape == request.query.shape


def test_a_kernel_that_refuses_computes_nothing():
    def never(_):
        raise AssertionError("computed")

    kernel = Kernel("mine", "for tests", never, lambda request: f"scale={request.scale} is not mine")
    visibility = Visibility(Full(), INFO)
    with pytest.raises(ConfigError, match="^kernel=mine: scale=0.3 is not mine$"):
        kernel(Request(*inputs(visibility), visibility, 0.3))


@pytest.mark.parametrize("kernel", ["auto", "reference", "sdpa", "blockwise"])
def test_the_scale_is_one_over_the_root_of_the_width_unless_given(kernel):
    query, seen = torch.randn(2, 1, 3, 16), Visibility(Full(), INFO)
    given, others = (attend(query, query, query, seen, scale, kernel) for scale in (0.25, 0.5))
    assert torch.equal(attend(query, query, query, seen, kernel=kernel), given) and not torch.equal(given, others)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"heads": 3}, "heads=3 does not divide dim=16"),
        ({"heads": 4, "key_heads": 3}, "key_heads=3 does not divide heads=4"),
        ({"heads": 4, "key_heads": 0}, "key_heads=0 must be a whole number, at least 1"),
        ({"heads": 2, "kernel": "spda"}, "Did you mean 'sdpa'"),
        ({"heads": 2, "weight_dropout": 1.0}, "weight_dropout=1.0 must be a number at least 0 and below 1"),
    ],
)
def test_a_layer_that_cannot_be_is_named(values, message):
    with pytest.raises(ConfigError, match=message):
        Attention(16, **values)


def test_kernels_that_are_tested_elsewhere_are_known_and_their_tests_are_there():
    assert set(ELSEWHERE) <= set(KERNELS)
    assert all((Path(__file__).parent / file).is_file() for file in ELSEWHERE.values())
