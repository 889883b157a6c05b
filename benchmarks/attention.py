"""`mmattn bench attention`: one row measured."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from torch import Tensor

from mmattn.benchmarks.apart import apart
from mmattn.benchmarks.dense import visible_pairs
from mmattn.benchmarks.peers import OURS, PEERS
from mmattn.benchmarks.problem import HEAD_DIM, Inputs, Problem, forward_backward, make_inputs
from mmattn.benchmarks.roofline import attention_flops
from mmattn.benchmarks.row import Row
from mmattn.benchmarks.timing import paired, quartiles
from mmattn.errors import MmattnError
from mmattn.kernels import Request, chosen
from mmattn.kernels.plan import plan

TOLERANCE = 1e-4


def measured(case: str, against: str, length: int, turns: int, threads: int, matmul_flops: float) -> Row:
    """The row with its figures, or with the note why there are none. `matmul_flops`: the machine's, a second."""
    row = Row(case, against, length, note=PEERS[against].refusal(length))
    if row.note:
        return row
    try:
        _fill(row, turns, matmul_flops)
        row.ours_peak_bytes, row.other_peak_bytes = (
            apart(case, length, side, threads).peak_bytes for side in (OURS, against)
        )
    except MmattnError as error:
        row.note, row.wrong = str(error), True
    return row


def _fill(row: Row, turns: int, matmul_flops: float) -> None:
    """Compare both sides, which also warms them up, then time them."""
    problem, peer = Problem.of(row.case, row.length), PEERS[row.against]
    inputs = make_inputs(row.length, peer.tokens_first)
    work = partial(forward_backward, inputs=inputs)
    make_ours, make_other = (partial(each.make, problem) for each in (PEERS[OURS], peer))
    ours, other = make_ours(), make_other()
    row.largest_difference = difference(work(ours), work(other))
    times = paired(lambda: work(ours), lambda: work(other), turns)
    anew = paired(lambda: work(make_ours()), lambda: work(make_other()), turns)
    pairs = visible_pairs(problem)
    row.turns = turns
    row.ratio_low, row.ratio, row.ratio_high = quartiles(times.ratios)
    row.ours_seconds, row.other_seconds = quartiles(times.ours)[1], quartiles(times.other)[1]
    row.with_plan_ratio = quartiles(anew.ratios)[1]
    row.kernel, row.computed_share = _kernel(problem, inputs)
    row.share = pairs / row.length**2
    row.roofline_fraction = attention_flops(pairs) / row.ours_seconds / matmul_flops


def difference(ours: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    """The largest absolute difference of outputs and gradients. Raises MmattnError where it is beyond TOLERANCE."""
    names = ("outputs", "gradients of the query", "gradients of the key", "gradients of the value")
    largest = 0.0
    for name, one, two in zip(names, ours, other, strict=True):
        found = float((one - two).abs().max())
        if not found <= TOLERANCE:  # NaN is no less wrong
            raise MmattnError(f"the two sides do not compute the same: {name} differ by up to {found:.2g}")
        largest = max(largest, found)
    return largest


def _kernel(problem: Problem, inputs: Inputs) -> tuple[str, float | None]:
    """The kernel that ours takes, and the share of pairs of tokens that it computes where a plan says so."""
    visibility = problem.visibility()
    query, key, value, _ = inputs
    kernel = chosen(Request(query, key, value, visibility, HEAD_DIM**-0.5, problem.bias())).kernel.name
    return kernel, plan(visibility).share if kernel == "blockwise" else None
