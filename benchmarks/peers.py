"""The sides of a comparison: mmattn, torch, and libraries that compute the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch.nn.functional import scaled_dot_product_attention

from mmattn.benchmarks.dense import dense_bias, dense_mask
from mmattn.benchmarks.local import local_attention
from mmattn.benchmarks.longformer import longformer
from mmattn.benchmarks.machine import missing
from mmattn.benchmarks.problem import Attend, Problem
from mmattn.kernels import attend
from mmattn.patterns import Causal, Full


class Peer(NamedTuple):
    """make: prepares what depends on the problem alone (mask, plan, bias), to be used again and again; package: what it
    needs besides torch; multiple: of what its lengths must be; tokens_first: how its inputs lie in memory."""

    make: Callable[[Problem], Attend]
    package: str = ""
    multiple: int = 1
    tokens_first: bool = False

    def refusal(self, length: int) -> str:
        """Why it cannot be measured here, with the remedy; empty if it can."""
        if self.package and (refusal := missing(self.package)):
            return refusal
        if length % self.multiple:
            return f"it takes lengths that are multiples of {self.multiple} only"
        return ""


def ours(problem: Problem) -> Attend:
    """`attend` as anybody calls it; the plan is made in the first call and kept by the visibility."""
    return partial(attend, visibility=problem.visibility(), kernel="auto", bias=problem.bias())


def sdpa(problem: Problem) -> Attend:
    """torch's own attention: without a mask where it needs none, else with a dense one."""
    if problem.make_bias is not None:
        return partial(scaled_dot_product_attention, attn_mask=dense_bias(problem))
    if problem.info.layout.one_document and type(problem.pattern) in (Full, Causal):
        return partial(scaled_dot_product_attention, is_causal=type(problem.pattern) is Causal)
    return partial(scaled_dot_product_attention, attn_mask=dense_mask(problem))


OURS = "mmattn"
PEERS = {
    OURS: Peer(ours),
    "sdpa": Peer(sdpa),
    "local_attention": Peer(local_attention, package="local-attention"),
    "longformer": Peer(longformer, package="transformers", multiple=512, tokens_first=True),
}
