"""Long rows that are gone through in pieces give and learn what they do as a whole."""

from __future__ import annotations

import pytest
import torch

from mmattn import Rotary
from mmattn.contracts.mixer import check_mixer
from mmattn.contracts.mixer_rows import DOCUMENTS, context, facts, tokens
from mmattn.mixers import (
    AdditiveAttention,
    DeltaRule,
    GatedLinearAttention,
    LinearAttention,
    Mamba2,
    Retention,
    scanning,
)

DIM = 16
MIXERS = {
    "linear attention": lambda: LinearAttention(DIM, 2, chunk=2),
    "linear attention, both ways": lambda: LinearAttention(DIM, 2, chunk=2, both_ways=True),
    "retention": lambda: Retention(DIM, 2, chunk=2),
    "gated linear attention": lambda: GatedLinearAttention(DIM, 2, chunk=2),
    "delta rule": lambda: DeltaRule(DIM, 2, chunk=2),
    "Mamba-2": lambda: Mamba2(DIM, head_dim=8, chunk=3),
    "additive attention": lambda: AdditiveAttention(DIM),
}


@pytest.fixture
def short(monkeypatch):
    """Pieces of one chunk."""
    monkeypatch.setattr(scanning, "PIECE", 1)


def test_all_that_scan_are_tried():
    kinds = {type(make()) for make in MIXERS.values()}
    assert kinds == set(scanning.Scanning.__subclasses__())


@pytest.mark.parametrize("rows", DOCUMENTS)
@pytest.mark.parametrize("name", MIXERS)
def test_pieces_are_the_whole(short, name, rows):
    torch.manual_seed(0)
    mixer, info = MIXERS[name]().double(), facts(torch.tensor(DOCUMENTS[rows]))
    x = tokens(info.document, DIM, torch.Generator().manual_seed(2)).requires_grad_()
    sides = []
    for go in (mixer, mixer.whole):
        out = go(x, context(info, DIM, Rotary(axes=2)))[info.real]
        wanted = [x, *mixer.parameters()]
        sides.append([out, *torch.autograd.grad(out.square().sum(), wanted, allow_unused=True, materialize_grads=True)])
    for one, other in zip(*sides, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("name", MIXERS)
def test_pieces_keep_the_contract(short, name):
    torch.manual_seed(0)
    assert check_mixer(MIXERS[name](), DIM) == []


def test_pieces_are_those_of_a_call_after_another(short):
    """As many as there are chunks: the test above would hold without any."""
    seen = []

    class Counted(LinearAttention):
        def run(self, x, *others):
            seen.append(x.shape[1])
            return super().run(x, *others)

    info = facts(torch.tensor([[0] * 9]))
    Counted(DIM, 2, chunk=4)(torch.zeros(1, 9, DIM), context(info, DIM, Rotary(axes=2)))
    assert seen == [4, 4, 1]
