"""Losses of pairs against plain formulas, one pair at a time."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import normalize

from mmattn import ConfigError
from mmattn.tasks.contrastive import gathered
from mmattn.tasks.pair_losses import STEEPEST, SigmoidLoss, SoftmaxLoss


def directions(*shape, seed):
    return normalize(torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)), dim=-1)


FIRST, SECOND, WRONG = directions(4, 6, seed=0), directions(4, 6, seed=1), directions(4, 2, 6, seed=2)
ALIKE = torch.eye(4, dtype=torch.bool)
ALIKE[0, 2] = ALIKE[2, 0] = True


def softmax_by_hand(scale, wrong):
    total = 0.0
    for i in range(4):
        own = scale * float(FIRST[i] @ SECOND[i])
        others = [j for j in range(4) if j == i or not ALIKE[i, j]]
        over = [scale * float(FIRST[i] @ each) for each in (*SECOND[others], *wrong[i])]
        back = [scale * float(FIRST[j] @ SECOND[i]) for j in others]
        total += sum(math.log(sum(math.exp(score) for score in scores)) - own for scores in (over, back)) / 2
    return total / 4


def sigmoid_by_hand(scale, bias, wrong):
    total = 0.0
    for i in range(4):
        signs = [(1 if ALIKE[i, j] else -1, SECOND[j]) for j in range(4)] + [(-1, each) for each in wrong[i]]
        total += sum(math.log1p(math.exp(-sign * (scale * float(FIRST[i] @ each) + bias))) for sign, each in signs)
    return total / 4


@pytest.mark.parametrize("wrong", [WRONG, WRONG[:, :0]], ids=["wrong ones", "none"])
def test_losses_are_the_formulas(wrong):
    assert SoftmaxLoss(5.0)(FIRST, SECOND, wrong, ALIKE).item() == pytest.approx(softmax_by_hand(5.0, wrong), rel=1e-6)
    expected = sigmoid_by_hand(5.0, -3.0, wrong)
    assert SigmoidLoss(5.0, -3.0)(FIRST, SECOND, wrong, ALIKE).item() == pytest.approx(expected, rel=1e-6)


def test_the_temperature_is_learned_and_bounded():
    loss = SoftmaxLoss(STEEPEST)
    loss(FIRST, SECOND, WRONG, ALIKE).backward()
    assert loss.log_scale.grad.abs() > 0
    with torch.no_grad():
        loss.log_scale.add_(1)
    assert loss.scale.item() == pytest.approx(STEEPEST)
    with pytest.raises(ConfigError, match="task.loss.scale=0 must lie above 0 and be at most 100"):
        SigmoidLoss(0)


def test_gathered_rows_and_their_gradients():
    mine = torch.tensor([[1.0], [2.0]], requires_grad=True)
    assert gathered(mine, None) is mine
    rows = gathered(mine, lambda x: torch.stack([torch.full_like(x, 5.0), x]))
    assert rows.flatten().tolist() == [5, 5, 1, 2]
    (rows * torch.arange(4.0)[:, None]).sum().backward()
    assert mine.grad.flatten().tolist() == [2, 3]
