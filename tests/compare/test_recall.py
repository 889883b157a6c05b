"""What the experiments about recall ask, and when their claims hold."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from mmattn.build import make
from mmattn.composition.compose import composed_comparison
from mmattn.why.recall_tasks import FILLER, MARK, passkey
from mmattn.why.training import UNASKED


def test_a_passkey_stands_among_blanks_or_others():
    generator = Generator().manual_seed(0)
    ids, targets = passkey(generator, 6, 12, 5, 20, blank=True)
    assert (ids == MARK).sum(1).tolist() == [2] * 6 and (ids == FILLER).sum(1).tolist() == [9] * 6
    assert torch.equal(ids[:, 7], targets[:, -1]) and (targets[:, :-1] == UNASKED).all()
    ids, targets = passkey(generator, 6, 12, 5, 20)
    assert (ids == MARK).sum(1).tolist() == [2] * 6 and (ids != FILLER).all()
    assert torch.equal(ids[:, 7], targets[:, -1])


def recalled(remembered, few, most):
    return [{"2 pairs": few, "32 pairs": most, "remembered": remembered}]


@pytest.mark.parametrize(
    ("small", "large", "holds"),
    [((1.0, 0.5), (1.0, 0.9), True), ((1.0, 0.5), (1.0, 0.5), False), ((0.5, 0.1), (1.0, 0.9), False)],
)
def test_a_larger_state_recalls_more_where_both_have_learned(small, large, holds):
    comparison = make(composed_comparison("why/recall", []), "comparison")
    found = {"mamba2_64": recalled(200, *large), "mamba2_16": recalled(100, *small)}
    *each, sizes = comparison._claims(found)
    assert len(each) == 2 and sizes.claim.startswith("A larger state") and sizes.holds is holds
