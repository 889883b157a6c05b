"""Faults that were found once, and their mends."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from mmattn import Causal, Full, TokenInfo, TokenSequence, Visibility, attend, join


def test_documents_that_come_from_different_parts_stay_apart():
    first = TokenInfo.from_lengths([2])
    second = replace(first, document=first.document + 1)
    info = join([TokenSequence(torch.randn(1, 2, 4), each) for each in (first, second)]).info
    assert info.document.tolist() == [[0, 0, 1, 1]] and not info.layout.one_document
    query = torch.randn(1, 2, 4, 8, dtype=torch.float64)
    outs = [attend(query, query, query, Visibility(Full(), info), kernel=kernel) for kernel in ("sdpa", "reference")]
    torch.testing.assert_close(*outs, atol=1e-10, rtol=0)


@dataclass(frozen=True)
class StrictlyBefore(Causal):
    def allows(self, query, key):
        return key.order < query.order


def test_a_subclass_of_a_plain_pattern_is_obeyed():
    query, info = torch.randn(1, 2, 4, 8, dtype=torch.float64), TokenInfo.from_lengths([4])
    visibility = Visibility(StrictlyBefore(), info)
    outs = [attend(query, query, query, visibility, kernel=kernel) for kernel in ("sdpa", "reference")]
    torch.testing.assert_close(*outs, atol=1e-10, rtol=0)
