"""Flow matching, and what is made of a context."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from mmattn import Attention, Backbone, Learned
from mmattn.adaptive import AdaptiveBlock
from mmattn.build import build
from mmattn.composition.compose import composed
from mmattn.data.arrays import Arrays
from mmattn.data.datamodule import DataModule
from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.heads import GridCodec, LinearCodec, Preview
from mmattn.latents import Latents
from mmattn.memory import Memory
from mmattn.mixers import CrossAttention
from mmattn.sequence import TokenInfo, TokenSequence
from mmattn.tasks.flow import PREDICTIONS, between, euler, heun, random_times, time_grid, velocity_weight
from mmattn.tasks.guidance import guided, twice, without
from mmattn.tasks.text_to_image import TextToImage
from mmattn.tokenizers.image import ImageTokenizer
from mmattn.tokenizers.several import SeveralTokenizer
from mmattn.tokenizers.words import WordTokenizer
from tests.tasks.pairs import DIM, OPTIMISER, encoder, learn, several, values, whole_batch

SMALL = [
    "backbone.dim=32",
    "backbone.depth=3",
    "backbone.layers=[grid,cross,self]",
    "data.train=24",
    "data.validation=8",
    "data.test=8",
    "loader.batch_size=8",
]


def small(prediction="data", head=GridCodec, tokenizer=None, **arguments):
    """A task that draws pictures of two colours."""
    torch.manual_seed(0)
    tokenizer = tokenizer or several("image")
    mixers = {"main": partial(Attention, heads=2), "cross": partial(CrossAttention, heads=2)}
    position = Learned(DIM, grid=[2, 2])
    backbone = Backbone(DIM, 2, mixers, layers=["cross", "main"], block=AdaptiveBlock, position=position)
    arguments = {"encoder": encoder(1), "prediction": prediction, **OPTIMISER, **arguments}
    return TextToImage(tokenizer, backbone, head(DIM, tokenizer.modelled, None), **arguments)


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


def test_the_loss_is_that_of_the_velocity(task):
    task, batch, _ = task
    draw = torch.Generator().manual_seed(0)
    data = task.tokenizer.modelled.content(batch["image"])
    time = random_times(len(data), **task.times, generator=draw, device=data.device)
    noise = torch.randn(data.shape, generator=draw)
    x, info = between(data, noise, time), TokenInfo.from_lengths([64] * 8, coordinates=batch["image"]["coordinates"])
    with torch.no_grad():
        guess = task.guess(x, time, Memory(task.encode(batch["text"])), info)
        loss = task.eval().evaluate(batch).loss
    assert float(time.max()) < 0.95  # later, errors weigh as at 0.95
    rest = (1 - time)[:, None, None]
    torch.testing.assert_close(loss, ((guess - x) / rest - (data - noise)).square().mean())


def test_training_hides_contexts_and_adds_the_preview(task, monkeypatch):
    task, batch, _ = task
    seen = []
    monkeypatch.setattr(task, "guess", lambda x, time, memory, info: seen.append(memory.tokens.info) or x)
    monkeypatch.setattr(task, "foreseen", lambda *_: torch.tensor(1000.0))
    monkeypatch.setattr(task, "drop_context", 0.5)
    torch.manual_seed(0)
    losses = [task.train().evaluate(batch).loss for _ in range(20)]
    assert all(loss > 1000 for loss in losses)
    hidden = torch.stack([~info.real.any(1) for info in seen])
    assert 0.35 < float(hidden.float().mean()) < 0.65 and len({tuple(row) for row in hidden.tolist()}) > 10
    assert task.eval().evaluate(batch).loss < 1000 and bool(seen[-1].real.any(1).all())


def test_a_guess_of_the_velocity_is_one_of_the_data():
    data, noise = torch.randn(2, 3, 4, 5, dtype=torch.float64)
    time = torch.tensor([0.0, 0.3, 0.9], dtype=torch.float64)
    x = between(data, noise, time)
    torch.testing.assert_close(PREDICTIONS["velocity"](data - noise, x, time), data)
    torch.testing.assert_close(PREDICTIONS["data"](data, x, time), data)


def test_what_the_backbone_puts_out_is_taken_as_the_prediction_says():
    x, time, info = torch.randn(1, 4, 48), torch.tensor([0.25]), TokenInfo.from_lengths([4])
    info = replace(info, coordinates=torch.cartesian_prod(torch.arange(2), torch.arange(2))[None])
    guesses = []
    for prediction in PREDICTIONS:
        task = small(prediction).eval()
        guesses.append(task.guess(x, time, Memory(task.no_context(1)), info))
    torch.testing.assert_close(guesses[1], x + 0.75 * guesses[0])  # of the same weights


def test_nothing_is_exaggerated_where_no_context_was_hidden():
    task = small(drop_context=0.0)
    assert task.asks == ("steps", "sampler")
    with pytest.raises(ConfigError, match="makes nothing without a context"):
        task.pictures(None, count=1)
    with pytest.raises(ConfigError, match="guidance=3 is for runs trained with task.drop_context above 0"):
        task.make([], guidance=3)


def test_a_prediction_that_there_is_not_is_named():
    with pytest.raises(ConfigError, match="task.prediction=noise: there are data and velocity"):
        small("noise")


def test_a_preview_differs_where_the_context_does(task):
    task, batch, _ = task
    info = TokenInfo.from_lengths([64] * 8, coordinates=task.coordinates.expand(8, -1, -1))
    first, second = task.preview(Memory(task.encode(batch["text"])), info)[:2]
    assert first.shape == (64, 48) and not torch.allclose(first, second)
    blind = task.preview(Memory(without(task.encode(batch["text"]), torch.ones(8, dtype=torch.bool))), info)
    torch.testing.assert_close(blind[0], blind[1])


def test_latents_read_a_context_of_several_kinds():
    """A caption and another picture, whose tokens are joined and gathered into three."""
    values_of = [{**each, "seen": values()[place - 1]["image"]} for place, each in enumerate(values())]
    read = SeveralTokenizer(DIM, {"text": WordTokenizer(DIM, least=1), "seen": ImageTokenizer(DIM, patch=4)})
    tokenizer = SeveralTokenizer(DIM, {"image": ImageTokenizer(DIM, patch=4), "both": read}, target="image")
    data = DataModule(Arrays((values_of, None), (values_of, None)), tokenizer, batch_size=16)
    data.fit_tokenizer()
    latents = Latents(Backbone(DIM, 1, {"read": partial(CrossAttention, heads=2)}), 3)
    task = small(tokenizer=tokenizer, context="both", encoder=latents)
    dataset = data.dataset("train")
    batch = dataset.batch([(0, place) for place in range(16)])
    assert task.encode(batch["both"]).embeddings.shape == (16, 3, DIM)
    learn(task, batch, 2)
    assert all(each.weight.grad.abs().sum() > 0 for each in (read.part("text").embedding, read.part("seen").projection))
    with pytest.raises(
        ConfigError, match=r"reads 'image', which is tokenizer.target: set tokenizer.parts.both.parts.image"
    ):
        leak = SeveralTokenizer(DIM, {"image": ImageTokenizer(DIM, patch=4)})
        small(
            tokenizer=SeveralTokenizer(DIM, {"image": ImageTokenizer(DIM, patch=4), "both": leak}, target="image"),
            context="both",
        )
    assert len(task.pictures([dataset.prepared[place]["both"] for place in range(2)], count=2, steps=2)) == 2


def test_pictures_are_learned_by_heart_and_drawn_as_their_captions_ask():
    """In words' order, too, which the preview teaches: without it, halves are exchanged after as many steps."""
    torch.manual_seed(0)
    reads, sees = Learned(DIM, grid=[8]), Learned(DIM, grid=[2, 2])
    encodes = Backbone(DIM, 1, {"main": partial(Attention, heads=2)}, position=reads)
    guesses = Backbone(DIM, 1, {"main": partial(CrossAttention, heads=2)}, position=sees)
    preview = partial(Preview, backbone=guesses)
    task = small(head=LinearCodec, early=0.8, encoder=encodes, preview=preview)
    for rate in (1e-2, 2e-3):
        learn(task, whole_batch(task), 100, rate)
    pictures, captions = zip(*((each["image"], each["text"]) for each in values()), strict=True)
    contexts = [task.source.prepare(Sample(text, text)) for text in captions]
    made = task.pictures(contexts, count=len(contexts), guidance=1.0, steps=10)
    wrong = [np.abs(np.asarray(a, int) - np.asarray(b, int)).mean() for a, b in zip(made, pictures, strict=True)]
    assert max(wrong) < 20  # of 255; another colour in one half is 59 or more
