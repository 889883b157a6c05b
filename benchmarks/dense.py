"""Dense masks for those that need one, made in strips of rows: a whole matrix of distances would take more memory than
the mask itself, and longer."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from mmattn.benchmarks.problem import HEADS, Problem
from mmattn.kernels.biased import values
from mmattn.patterns import Facts, Full
from mmattn.patterns.visibility import sees

ROWS = 256  # of a strip


def dense_mask(problem: Problem) -> Tensor:
    """bool (length, length): True where the query sees the key."""
    mask = torch.empty(problem.length, problem.length, dtype=torch.bool)
    for rows, query, key in _strips(problem):
        mask[rows] = _seen(problem, query, key)
    return mask


def dense_bias(problem: Problem) -> Tensor:
    """float32 (1, HEADS, length, length): what the bias adds, −∞ where the query does not see the key."""
    bias = problem.bias()
    assert bias is not None
    added = torch.empty(1, HEADS, problem.length, problem.length)
    for rows, query, key in _strips(problem):
        strip = values(bias, HEADS, query, key)
        if type(problem.pattern) is not Full:
            strip = strip.masked_fill(~_seen(problem, query, key), -torch.inf)
        added[:, :, rows] = strip
    return added


def visible_pairs(problem: Problem) -> int:
    """How many pairs of query and key see each other."""
    return sum(int(_seen(problem, query, key).sum()) for _, query, key in _strips(problem))


def _strips(problem: Problem) -> Iterator[tuple[slice, Facts, Facts]]:
    """Rows, the facts of their queries (1, rows, 1), and of all keys (1, 1, length)."""
    key = Facts(problem.info, lambda fact: fact.unsqueeze(1))
    for start in range(0, problem.length, ROWS):
        rows = slice(start, min(start + ROWS, problem.length))
        queries = problem.info.map(lambda fact, rows=rows: fact[:, rows])  # type: ignore[misc]
        yield rows, Facts(queries, lambda fact: fact.unsqueeze(2)), key


def _seen(problem: Problem, query: Facts, key: Facts) -> Tensor:
    """bool (rows, length); one document is not compared with itself, as nobody would who writes the mask by hand."""
    alone = problem.info.layout.one_document
    seen = problem.pattern.allows(query, key) if alone else sees(problem.pattern, query, key)
    return seen[0].expand(query.order.shape[1], -1)
