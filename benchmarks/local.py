"""The package local-attention (https://github.com/lucidrains/local-attention): a causal window in chunks."""

from __future__ import annotations

from typing import cast

from mmattn.benchmarks.problem import Attend, Problem
from mmattn.patterns import SlidingWindow


def local_attention(problem: Problem) -> Attend:
    """Its exact window holds the query and as many tokens before it as ours; a length that its chunks do not divide is
    padded by it."""
    from local_attention import LocalAttention

    window = cast(SlidingWindow, problem.pattern).before
    return LocalAttention(
        window, causal=True, look_backward=1, exact_windowsize=True, use_rotary_pos_emb=False, autopad=True
    )
