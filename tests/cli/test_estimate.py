"""The estimate measures without leaving a trace, and adds up."""

from __future__ import annotations

import lightning
import numpy as np
import pytest
import torch

from mmattn.build import build
from mmattn.cli.estimate import estimate
from mmattn.composition.compose import composed
from tests.cli.small import SMALL

QUIET = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "accelerator": "cpu"}


@pytest.fixture(scope="module")
def built():
    return build(composed(["experiment=image", *SMALL]))


def test_weights_and_random_state_stay(built):
    torch.manual_seed(3)
    before = {name: value.clone() for name, value in built.task.state_dict().items()}
    random, numpy = torch.get_rng_state(), np.random.get_state()[1].copy()
    estimate(built, lightning.Trainer(max_epochs=2, **QUIET))
    assert torch.equal(torch.get_rng_state(), random) and (np.random.get_state()[1] == numpy).all()
    assert all(torch.equal(before[name], value) for name, value in built.task.state_dict().items())
    assert built.task.tokens_seen == 0 and all(each.grad is None for each in built.task.parameters())


@pytest.mark.parametrize(
    "settings, steps",
    [
        ({"max_epochs": 3}, 120),  # 1,259 samples in batches of 32: 40 an epoch
        ({"max_epochs": 3, "limit_train_batches": 7}, 21),
        ({"max_epochs": 3, "limit_train_batches": 0.5}, 60),
        ({"max_steps": 50, "accumulate_grad_batches": 2}, 100),
        ({"max_epochs": -1}, None),
    ],
)
def test_steps_are_those_that_the_trainer_takes(settings, steps, built):
    cost = estimate(built, lightning.Trainer(**settings, **QUIET))
    assert cost.steps == steps and cost.step_seconds > 0 and cost.tokens == 512
    assert cost.seconds is None if steps is None else cost.seconds >= steps * cost.step_seconds


def test_a_resumed_run_has_less_before_it(built):
    assert estimate(built, lightning.Trainer(max_epochs=3, **QUIET), epochs_done=2).steps == 40
