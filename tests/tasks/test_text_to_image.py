"""Flow matching, and what is made of a context."""

from __future__ import annotations

import pytest
import torch

from mmattn.build import build
from mmattn.cli.compose import composed
from mmattn.errors import ConfigError
from mmattn.memory import Memory
from mmattn.sequence import TokenInfo, TokenSequence
from mmattn.tasks.flow import between, euler, heun, random_times, time_grid, velocity_weight
from mmattn.tasks.guidance import guided, twice, without

SMALL = [
    "backbone.dim=32",
    "backbone.depth=3",
    "backbone.layers=[grid,cross,self]",
    "data.train=24",
    "data.validation=8",
    "data.test=8",
    "loader.batch_size=8",
]


@pytest.fixture(scope="module")
def task():
    built = build(composed(["experiment=text_to_image", *SMALL]))
    batch = built.data.dataset("train").batch([(0, index) for index in range(8)])
    built.task.eval().evaluate(batch)
    return built.task, batch, built


def test_the_way_begins_at_noise_and_ends_at_data():
    data, noise = torch.randn(2, 3, 4, 5)
    assert torch.equal(between(data, noise, torch.zeros(3)), noise)
    assert torch.equal(between(data, noise, torch.ones(3)), data)


def test_the_weight_turns_an_error_of_the_data_into_one_of_the_velocity():
    data, noise, guess = torch.randn(3, 2, 4, 5, dtype=torch.float64)
    time = torch.tensor([0.3, 0.9], dtype=torch.float64)
    x, rest = between(data, noise, time), (1 - time)[:, None, None]
    velocity_error = ((guess - x) / rest - (data - noise)).square()
    torch.testing.assert_close(velocity_weight(time)[:, None, None] * (guess - data).square(), velocity_error)


@pytest.mark.parametrize("sampler", [euler, heun])
def test_a_model_that_knows_the_data_walks_to_it(sampler):
    data, noise = torch.randn(2, 3, 4, 5)
    made = sampler(lambda x, time: data, noise, time_grid(7, 2.0))
    torch.testing.assert_close(made, data, atol=1e-5, rtol=0)


def test_heun_is_of_second_order_and_euler_of_first():
    noise = torch.ones(1, 1, 1, dtype=torch.float64)

    def error(sampler, steps):
        guess = lambda x, time: x + (1 - time)[:, None, None] * x  # noqa: E731 - the velocity is x itself
        return float(
            (sampler(guess, noise, torch.linspace(0, 0.5, steps + 1).double()) - torch.tensor(0.5).exp()).abs()
        )

    assert 1.8 < error(euler, 20) / error(euler, 40) < 2.2
    assert 3.6 < error(heun, 20) / error(heun, 40) < 4.4


def test_times_lie_between_noise_and_data_and_a_share_is_early():
    options = {
        "mean": 3.0,
        "deviation": 0.5,
        "generator": torch.Generator().manual_seed(0),
        "device": torch.device("cpu"),
    }
    times = random_times(4000, early=0.25, **options)
    assert bool(((times >= 0) & (times < 1)).all())
    assert abs(float((times <= 0.12).float().mean()) - 0.25) < 0.03


def test_a_shift_walks_slower_near_the_noise():
    assert torch.allclose(time_grid(4, 1.0), torch.linspace(0, 1, 5))
    grid = time_grid(4, 3.0)
    assert grid[0] == 0 and grid[-1] == 1 and bool((grid[1:].diff() > grid[:-1].diff()).all())


def test_hidden_contexts_are_padding_and_doubled_ones_have_one_half_hidden():
    memory = TokenSequence(torch.randn(2, 3, 4), TokenInfo.from_lengths([3, 2]))
    assert without(memory, torch.tensor([True, False])).info.document.tolist() == [[-1] * 3, [1, 1, -1]]
    assert twice(memory).info.document.tolist() == [[0] * 3, [1, 1, -1], [-1] * 3, [-1] * 3]


def test_a_hidden_context_changes_nothing_that_it_says(task):
    model, batch, _ = task
    info = TokenInfo.from_lengths([64], coordinates=model.coordinates[None])
    x, time = torch.randn(1, 64, 48), torch.tensor([0.4])
    for name, parameter in model.named_parameters():
        if "modulation" in name:
            torch.nn.init.normal_(parameter, std=0.2)
    context = model.encode(batch["text"])
    outs = []
    for row in (0, 1):
        one = TokenSequence(context.embeddings[row : row + 1], TokenInfo.from_lengths([context.embeddings.shape[1]]))
        outs.append(model.guess(x, time, Memory(without(one, torch.tensor([True]))), info))
        outs.append(model.guess(x, time, Memory(one), info))
    assert torch.equal(outs[0], outs[2]) and not torch.equal(outs[1], outs[3])


def test_what_is_made_depends_on_the_seed_and_not_on_batch_mates(task):
    model, _, built = task
    dataset = built.data.dataset("train")
    prepared = [dataset.prepared[index]["text"] for index in range(3)]
    all_three = model.make(prepared, steps=2, seed=5)
    alone = model.make(prepared[1:2], steps=2, seed=6)
    torch.testing.assert_close(all_three[1:2], alone, atol=1e-4, rtol=1e-4)
    assert torch.equal(all_three, model.make(prepared, steps=2, seed=5))
    assert not torch.equal(all_three, model.make(prepared, steps=2, seed=9))
    assert all_three.shape == (3, 64, 48)


def test_no_guidance_and_guidance_one_need_one_half(task):
    model, _, built = task
    prepared = [built.data.dataset("train").prepared[0]["text"]]
    one = model.make(prepared, steps=2, guidance=1.0)
    torch.testing.assert_close(model.make(prepared, steps=2, guidance=1.000001), one, atol=1e-3, rtol=1e-3)


def test_guidance_ends_at_its_time(task, monkeypatch):
    model, _, built = task
    prepared = [built.data.dataset("train").prepared[0]["text"]]
    strengths = []
    monkeypatch.setattr(
        "mmattn.tasks.text_to_image.guided",
        lambda scores, strength: guided(scores, strengths.append(strength) or strength),
    )
    for until, expected in ((0.0, [1, 1]), (0.2, [9, 1]), (1.0, [9, 9])):  # of two steps, from the times 0 and 1/3 on
        model.make(prepared, steps=2, guidance=9.0, guided_until=until)
        assert strengths == expected
        strengths.clear()
    model.make(prepared, steps=2, guidance=0.0, guided_until=0.0)  # it is ignored to the end
    assert strengths == [0, 0]
    with pytest.raises(ConfigError, match="guided_until=2 must be a number at least 0 and at most 1"):
        model.make(prepared, guided_until=2)


def test_pictures_of_another_size(task):
    model, _, built = task
    prepared = [built.data.dataset("train").prepared[0]["text"]]
    places = torch.cartesian_prod(torch.arange(4), torch.arange(8))
    assert model.make(prepared, steps=1, coordinates=places).shape == (1, 32, 48)


def test_bad_requests_are_one_message(task):
    model, _, built = task
    prepared = [built.data.dataset("train").prepared[0]["text"]]
    with pytest.raises(ConfigError, match="guidance=-1 must be a number at least 0"):
        model.make(prepared, guidance=-1)
    with pytest.raises(ConfigError, match="guidance=inf must be"):
        model.make(prepared, guidance=float("inf"))
    with pytest.raises(ConfigError, match="steps=0 must be a whole number, at least 1"):
        model.make(prepared, steps=0)
    with pytest.raises(ConfigError, match="before holds 2 contexts, and 1 are drawn"):
        model.make(prepared, before=prepared * 2)
    with pytest.raises(ConfigError, match="no sampler 'eular'"):
        model.make(prepared, sampler="eular")
    with pytest.raises(ConfigError, match="task.early=1.5"):
        build(composed(["experiment=text_to_image", *SMALL, "task.early=1.5"]))
    with pytest.raises(ConfigError, match="has no 'caption'"):
        build(composed(["experiment=text_to_image", *SMALL, "task.context=caption"]))


def test_a_preview_teaches_the_encoder_in_training_alone(task):
    task, batch, _ = task
    data = task.tokenizer.modelled.content(batch["image"])
    info = TokenInfo.from_lengths([data.shape[1]] * len(data), coordinates=batch["image"]["coordinates"])
    task.log = lambda *args, **kwargs: None
    task.foreseen(task.encode(batch["text"]), data, info).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in task.encoder.blocks.parameters() if p.ndim == 2)
    assert all(p.grad is None for p in task.backbone.parameters())
    task.zero_grad()
    before = task.evaluate(batch).loss
    task.preview_weight = 1000.0
    assert torch.equal(task.evaluate(batch).loss, before)


def test_a_preview_differs_where_the_context_does(task):
    task, batch, _ = task
    info = TokenInfo.from_lengths([64] * 8, coordinates=task.coordinates.expand(8, -1, -1))
    first, second = task.preview(Memory(task.encode(batch["text"])), info)[:2]
    assert first.shape == (64, 48) and not torch.allclose(first, second)
    blind = task.preview(Memory(without(task.encode(batch["text"]), torch.ones(8, dtype=torch.bool))), info)
    torch.testing.assert_close(blind[0], blind[1])
