"""How far off a fast kernel may be, in its output and in its gradients.

Its error against a float64 oracle is at most 2 × that of the plain math in the same dtype + 4 units in the last place
of the largest magnitude. That magnitude is taken over the output and all gradients: where a query sees a single key the
plain softmax has a gradient of exactly 0, while fused kernels subtract two equal numbers of the size of the others.

The normal run takes cases in which all pairs of parameter values meet; the slow one a sample of all combinations, drawn
with a fixed seed, as all of them would take many minutes.
"""

from __future__ import annotations

import math
import random
from itertools import product

import pytest
import torch

from mmattn import Visibility
from tests.core.asking import HERE, asked, inputs, outcome
from tests.core.bias_examples import BIASES, a_bias
from tests.core.examples import rich
from tests.core.pairwise import pairwise
from tests.core.rules import PATTERNS

LENGTH, SAMPLE = 48, 60
# The usual scale. With larger scores fused kernels may be further off: their backward makes the weights again from a
# log-sum-exp that is rounded.
WIDTH, SCALE = 16, 0.25
QUERIES = {
    "plain": [[0] * LENGTH, [1] * LENGTH],
    "padded": [[0] * 20 + [-1] * (LENGTH - 20), [1] * LENGTH],
    "packed": [[0] * 17 + [1] * (LENGTH - 17), [2] * 30 + [3] * 10 + [-1] * (LENGTH - 40)],
}
KEYS = {
    "plain": [[0] * 70, [1] * 70],
    "padded": [[0] * 70, [1] * 33 + [-1] * 37],
    "packed": [[0] * 40 + [1] * 30, [2] * 5 + [3] * 65],
}
PARAMETERS = {
    "name": list(PATTERNS),
    "bias": list(BIASES),
    "layout": list(QUERIES),
    "dtype": [torch.float32, torch.bfloat16, torch.float16],
    "key_heads": [4, 2, 1],
    "cross": [False, True],
    "blocks": [{64: 1.45, 128: 1.2, 256: 1.05}, {8: 1.2, 16: 1.05}],
}
FAST = [name for name in HERE if name != "reference"]


def results(kernel, name, bias, layout, key_heads, cross, dtype, compute):
    """Output and all gradients, of inputs that are rounded to `dtype`, computed in `compute`."""
    visibility = Visibility(PATTERNS[name], rich(QUERIES[layout]), rich(KEYS[layout]) if cross else None)
    rounded = inputs(visibility, key_heads=key_heads, width=WIDTH, value_width=WIDTH, dtype=dtype)
    leaves = [each.detach().to(compute).requires_grad_() for each in rounded]
    changed = a_bias(bias, 4, torch.float64 if compute == torch.float64 else torch.float32)
    learned = [] if changed is None else list(changed.parameters())
    return outcome(asked(kernel, *leaves, visibility, SCALE, changed), [*leaves, *learned])


def error(one: torch.Tensor, exact: torch.Tensor) -> float:
    return float((one.double() - exact).abs().max())


def check(kernel, blocks, **case):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mmattn.kernels.plan.COST", blocks)
        dtype = case["dtype"]
        exact = results("reference", **case, compute=torch.float64)
        plain, fast = (results(each, **case, compute=dtype) for each in ("reference", kernel))
    largest = max(float(each.abs().max()) for each in exact)
    unit = torch.finfo(dtype).eps * 2 ** math.floor(math.log2(largest))
    for what, one, other, truth in zip(("output", "query", "key", "value", "bias"), fast, plain, exact, strict=False):
        assert error(one, truth) <= 2 * error(other, truth) + 4 * unit, (what, kernel, case)


@pytest.mark.parametrize("case", pairwise(**PARAMETERS), ids=lambda case: "-".join(map(str, list(case.values())[:-1])))
@pytest.mark.parametrize("kernel", FAST)
def test_error_is_of_the_size_of_the_plain_maths(kernel, case):
    check(kernel, **case)


@pytest.mark.slow
@pytest.mark.parametrize("bias", BIASES)
@pytest.mark.parametrize("kernel", FAST)
def test_and_so_in_other_combinations(kernel, bias):
    everything = [dict(zip(PARAMETERS, values, strict=True)) for values in product(*PARAMETERS.values())]
    for case in random.Random(0).sample([case for case in everything if case["bias"] == bias], SAMPLE):
        check(kernel, **case)
