"""What every task does: its rate, its steps, its batches on another device, its cards."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from mmattn.data.dataset import PreparedDataset
from mmattn.data.labels import OneClass
from mmattn.data.source import Sample
from mmattn.errors import ConfigError, TrainingError
from mmattn.heads import TokenHead
from mmattn.tasks.classification import Classification
from tests.tasks.paper import RATE, SCHEDULE, batch_of, task_of


def test_a_task_names_what_it_cannot_use():
    with pytest.raises(ConfigError, match="Classification needs data with labels; this data has none"):
        task_of(Classification, classes=None)
    with pytest.raises(ConfigError, match="Classification cannot use head=tokens; set head=classifier"):
        task_of(Classification, TokenHead)


def test_the_learning_rate_moves_at_the_first_step_and_ends_the_schedule_at_the_last():
    task = task_of(Classification)
    task._trainer = SimpleNamespace(estimated_stepping_batches=8)
    found = task.configure_optimizers()
    optimizer, rates = found["optimizer"], []
    for _ in range(9):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        found["lr_scheduler"]["scheduler"].step()
    assert rates == pytest.approx([RATE * SCHEDULE(min(step, 8) / 8) for step in range(1, 10)])
    assert rates[0] == 0.25 and rates[7] == 0 and found["lr_scheduler"]["interval"] == "step"
    task._trainer.estimated_stepping_batches = float("inf")
    with pytest.raises(ConfigError, match="set trainer.max_epochs or trainer.max_steps"):
        task.configure_optimizers()


def test_a_training_step_counts_tokens_and_stops_at_a_loss_that_is_no_number(monkeypatch):
    task = task_of(Classification)
    task._trainer, logged = SimpleNamespace(global_step=7), {}
    monkeypatch.setattr(task, "log", lambda name, value, **more: logged.update({name: (value, more["batch_size"])}))
    batch = {**batch_of(task, [0, 1, 2]), "names": ["x", "y", "z"]}
    loss = task.training_step(batch, 0)
    assert task.tokens_seen == 1 + 2 + 3 and logged == {"train/loss": (loss, 3)}
    nn.init.constant_(task.head.out.bias, torch.nan)
    with pytest.raises(
        TrainingError, match="The loss is nan at step 7, in the batch of x, y, z, …; lower optimizer.learn"
    ):
        task.training_step(batch, 0)
    assert task.tokens_seen == 6


def test_a_batch_moves_with_its_facts_and_keeps_what_is_no_tensor():
    task = task_of(Classification)
    batch = {**batch_of(task, [0, 1]), "names": ["x", "y"], "parts": (torch.ones(1), [torch.ones(2)])}
    moved = task.transfer_batch_to_device(batch, torch.device("meta"), 0)
    assert moved["ids"].is_meta and moved["parts"][1][0].is_meta
    assert moved["names"] == ["x", "y"] and moved["layout"] is batch["layout"] and moved["length"] == 2


def test_cards_show_the_sample_and_what_is_said_of_it():
    task = task_of(Classification).eval()
    texts = ["abc", "zz", "q"]
    found = task.cards(
        PreparedDataset([Sample(text, text, i) for i, text in enumerate(texts)], task.tokenizer, OneClass()), [2, 0]
    )
    assert [(card.title, card.parts, card.truth) for card in found] == [
        ("q", [("", "q")], "c"),
        ("abc", [("", "abc")], "a"),
    ]
    for card in found:
        chances = [chance for _, chance in card.chances]
        assert chances == sorted(chances, reverse=True) and sum(chances) == pytest.approx(1, abs=1e-5)
        assert card.right is (card.chances[0][0] == card.truth)
