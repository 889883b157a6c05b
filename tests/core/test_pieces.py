"""Many rows, and long ones, that are gone through in pieces give and learn what they do as a whole."""

from __future__ import annotations

import pytest
import torch

from mmattn import ConfigError, Rotary
from mmattn.contracts.mixer import check_mixer
from mmattn.contracts.mixer_rows import DOCUMENTS, context, facts, tokens
from mmattn.mixers import (
    AdditiveAttention,
    BothWays,
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


def test_all_that_scan_are_tried():
    kinds = {type(make()) for make in MIXERS.values()}
    assert kinds == set(scanning.Scanning.__subclasses__())


@pytest.mark.parametrize("chunks", [0, 1, 2])
@pytest.mark.parametrize("rows", DOCUMENTS)
@pytest.mark.parametrize("name", MIXERS)
def test_pieces_are_the_whole(name, rows, chunks):
    """Of so many chunks of all rows each, or of one chunk of one row."""
    torch.manual_seed(0)
    mixer, info = MIXERS[name]().double(), facts(torch.tensor(DOCUMENTS[rows]))
    x = tokens(info.document, DIM, torch.Generator().manual_seed(2)).requires_grad_()
    wanted, sides = [x, *mixer.parameters()], []
    for piece in (scanning.PIECE, max(1, chunks * mixer.chunk * len(x) * DIM)):
        mixer.piece = piece
        out = mixer(x, context(info, DIM, Rotary(axes=2)))[info.real]
        sides.append([out, *torch.autograd.grad(out.square().sum(), wanted, allow_unused=True, materialize_grads=True)])
    for one, other in zip(*sides, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("rows", [1, 2, 4])
@pytest.mark.parametrize("make", [MIXERS["Mamba-2"], lambda: BothWays(DIM, mixer=lambda _: MIXERS["retention"]())])
def test_any_rows_together_are_the_whole(make, rows):
    torch.manual_seed(0)
    mixer = make().double()
    info = facts(torch.cat([torch.tensor(DOCUMENTS[name]) for name in list(DOCUMENTS)[:4]])[:7])
    x, outs = tokens(info.document, DIM, torch.Generator().manual_seed(2)), []
    for piece in (scanning.PIECE, rows * 2 * DIM):
        for each in (each for each in mixer.modules() if isinstance(each, scanning.Scanning)):
            each.piece = piece
        outs.append(mixer(x, context(info, DIM, Rotary(axes=2)))[info.real])
    torch.testing.assert_close(*outs, atol=1e-10, rtol=1e-10)


class Counted(LinearAttention):
    """Notes how many rows and tokens it goes through at once."""

    def run(self, x, *others):
        self.seen.append(x.shape[:2])
        return super().run(x, *others)


@pytest.mark.parametrize(
    ("piece", "both_ways", "rows", "seen"),
    [
        (1, False, 2, [(1, 4), (1, 4), (1, 1)] * 2),  # a chunk of a row, at least
        (2 * 9 * DIM, False, 2, [(2, 8), (2, 1)]),  # whole chunks
        (2 * 12 * DIM, False, 2, [(2, 9)]),
        (4 * DIM, False, 5, [(1, 4), (1, 4), (1, 1)] * 5),
        (2 * 4 * DIM, False, 5, [(3, 4), (3, 4), (3, 1), (2, 4), (2, 4), (2, 1)]),  # as many rows in each
        (1, True, 2, [(1, 9)] * 2),  # later tokens are not there yet
        (9 * DIM, True, 5, [(1, 9)] * 5),
        (2 * 9 * DIM, True, 5, [(3, 9), (2, 9)]),
    ],
)
def test_pieces_have_as_many_values_as_are_gone_through_at_once(piece, both_ways, rows, seen):
    mixer, info = Counted(DIM, 2, chunk=4, both_ways=both_ways), facts(torch.arange(rows)[:, None].expand(-1, 9))
    mixer.piece, mixer.seen = piece, []
    mixer(torch.zeros(rows, 9, DIM), context(info, DIM, Rotary(axes=2)))
    assert mixer.seen == seen


def test_rows_that_read_a_memory_stay_together():
    mixer = AdditiveAttention(DIM)
    mixer.piece = 1
    assert mixer._size(torch.zeros(2, 3, DIM)) == (2, 1)


def test_other_devices_take_all_at_once():
    mixer = Retention(DIM, 2, chunk=2)
    mixer.piece = 1
    assert mixer._size(torch.zeros(5, 9, DIM, device="meta")) == (5, 9)


def test_a_step_of_its_own_does_not_change_the_pass():
    class Stepless(Retention):
        def step(self, x, context, state):
            raise ConfigError("refused")

    mixer, info = Stepless(DIM, 2, chunk=2), facts(torch.tensor([[0] * 9]))
    mixer.piece = 1
    assert mixer(torch.zeros(1, 9, DIM), context(info, DIM, Rotary(axes=2))).shape == (1, 9, DIM)


class Forgetful(Retention):
    """Hands no state from piece to piece."""

    def run(self, x, context, segments, state):
        return super().run(x, context, segments, None)


def test_pieces_that_lose_the_state_break_the_contract():
    assert any("in pieces" in fault for fault in check_mixer(Forgetful(DIM, 2), DIM))
