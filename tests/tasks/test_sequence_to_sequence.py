"""One sequence from another: nothing is seen before it is guessed, and what is made is the full pass."""

from __future__ import annotations

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint

from mmattn import ConfigError, Full
from mmattn.data.source import Sample
from mmattn.heads import TokenHead
from mmattn.tasks.guidance import nothing
from mmattn.tasks.next_token import chosen
from tests.tasks.pairs import DIM, contrastive, data_for, learn, picture, sequence_to_sequence, several, whole_batch

WAYS = [("text", "image"), ("image", "text")]


def noisy(task):
    """The task with weights that make it say unlike things of unlike contexts."""
    torch.manual_seed(0)
    for parameter in task.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    task.longest.fill_(5)
    return task.eval()


@torch.no_grad()
def by_whole_passes(task, batch, guidance=1.0):
    """The likeliest ids of each row, each by forward passes over all before it, one row at a time."""
    tokenizer, rows = task.target, []
    end = tokenizer.eos_id if tokenizer.eos else None
    for row, memory in enumerate(task.encode(batch).embeddings):
        info = task.encode(batch).info.map(lambda fact, row=row: fact[row : row + 1])
        seen, ids = type(task.encode(batch))(memory[None], info), [tokenizer.bos_id]
        while len(ids) < int(task.longest) and ids[-1] != end:
            tokens = tokenizer(tokenizer.collate([{"ids": torch.tensor(ids)}]))
            tokens.info.document.fill_(row)
            told, blind = (task.head(task.backbone(tokens, of))[0, -1] for of in (seen, nothing(1, DIM)))
            scores = blind + guidance * (told - blind)
            scores[[i for i in tokenizer.special_ids if i != end]] = -torch.inf
            ids.append(int(scores.argmax()))
        rows.append(ids[1:])
    return rows


@pytest.mark.parametrize("target, context", WAYS)
def test_made_step_by_step_is_made_by_whole_passes(target, context):
    task = sequence_to_sequence(target, context)
    learn(task, whole_batch(task), 60)
    batch = whole_batch(task)[context]
    made = [ids[ids >= 0].tolist() for ids in task.ids_for(batch)]
    assert made == by_whole_passes(task, batch)
    assert len({tuple(ids) for ids in made}) > 4


@pytest.mark.parametrize("target, context", WAYS)
def test_guidance_exaggerates_what_the_context_brings(target, context):
    task = noisy(sequence_to_sequence(target, context, drop_context=0.5))
    batch = whole_batch(task)[context]
    plain, guided = ([ids[ids >= 0].tolist() for ids in task.ids_for(batch, guidance=each)] for each in (1.0, 4.0))
    assert guided == by_whole_passes(task, batch, 4.0) and plain == by_whole_passes(task, batch) and plain != guided


def test_hidden_contexts_teach_what_comes_without_one():
    task = sequence_to_sequence("image", "text", drop_context=0.5, checked=0)
    assert task.asks == ("temperature", "guidance") and sequence_to_sequence().asks == ("temperature",)
    batch = whole_batch(task)
    learn(task, batch, 120)
    shown = task.pictures(None, count=2, temperature=0.0)  # the likeliest picture of all, twice
    assert (shown[0] == shown[1]).all() and shown[0].shape == (8, 8, 3)
    prepared = [task.source.prepare(Sample("x", text)) for text in ("white over blue", "red over blue")]
    made = task.pictures(prepared, count=2, temperature=0.0)
    assert (made[0] != made[1]).any()
    with pytest.raises(ConfigError, match="makes nothing without a context"):
        sequence_to_sequence("image", "text").pictures(None, count=1)


def test_documents_end_each_at_its_own_end(monkeypatch):
    task = noisy(sequence_to_sequence())
    three = whole_batch(task)["image"]
    made = task.ids_for(three)
    assert not (made == task.target.bos_id).any() and made.shape[1] <= 4
    texts = [task.target.prepare(Sample("x", text)) for text in ("red", "red over blue", "over")]
    ids = iter(task.target.collate(texts)["ids"][:, 1:].T)
    monkeypatch.setattr("mmattn.tasks.decoding.chosen", lambda *_: next(ids).clamp(min=0))  # 0 at what is over
    made = task.ids_for({name: value[:3] if torch.is_tensor(value) else value for name, value in three.items()})
    assert [task.target.restore(row) for row in made] == ["red", "red over blue", "over"]
    assert (made == -1).sum(1).tolist() == [2, 0, 2]


def test_captions_are_learned_by_heart_and_predicted():
    task = sequence_to_sequence()
    batch = whole_batch(task)
    assert learn(task, batch, 120) < 0.05
    assert task.longest == 5 and task.right(batch) == [True] * 16
    prepared = task.reads.prepare(Sample("x", picture("green", "red")))
    assert task.predicted([prepared], task.said(task.reads.collate([prepared]))) == {"text": "green over red"}
    assert task.make([prepared, prepared], temperature=0.01) == ["green over red"] * 2
    data = data_for(task.tokenizer, task)
    cards = task.cards(data.dataset("train"), [1, 4])
    assert [card.right for card in cards] == [True, True]
    assert [part[1] for part in cards[0].parts[1:]] == ["red over green"] * 2
    batch["image"]["patches"] = batch["image"]["patches"].roll(1, 0)
    assert task.right(batch) == [False] * 16


def test_pictures_are_learned_by_heart():
    task = sequence_to_sequence("image", "text", checked=0)
    batch = whole_batch(task)
    assert learn(task, batch, 120) < 0.05
    (made,) = task.make([task.source.prepare(Sample("x", "white over blue"))])
    pixels = torch.tensor([[250, 250, 250], [30, 30, 220]]) / 255
    torch.testing.assert_close(made[:, [0, 4], 3].T, pixels, atol=1e-3, rtol=0)
    with pytest.raises(ConfigError, match="is no text, but image"):
        prepared = task.source.prepare(Sample("x", "red over blue"))
        task.predicted([prepared], task.said(task.reads.collate([prepared])))
    (card,) = task.cards(data_for(task.tokenizer, task).dataset("train"), [0])
    assert card.right is None and card.parts[1][1].shape == card.parts[2][1].shape == (8, 8, 3)


def test_what_means_the_same_is_right():
    task = sequence_to_sequence(meaning=lambda text: frozenset(text.split()))
    learn(task, whole_batch(task), 120)
    batch = whole_batch(task)
    batch["text"] = batch["swapped"] = task.target.collate(
        [task.target.prepare(Sample("x", " ".join(reversed(text.split())))) for text in captions(task)]
    )
    assert task.right(batch) == [True] * 16
    task.meaning = None
    assert task.right(batch) == [text.split()[0] == text.split()[2] for text in captions(task)]


def captions(task):
    return [sample.value["text"] for sample in data_for(task.tokenizer).splits["train"]]


@pytest.mark.parametrize("target, context", WAYS)
def test_a_token_is_not_seen_before_it_is_guessed(target, context):
    task = noisy(sequence_to_sequence(target, context)).double()
    batch = whole_batch(task)
    known = batch[target]["ids"][:, 1:] >= 0
    scores = task(batch)[0]
    batch[target]["ids"][:, 3] = batch[target]["ids"][:, 3].roll(1)
    places = torch.arange(1, known.shape[1] + 1).expand_as(known)[known]
    same = (task(batch)[0] == scores).all(-1)
    assert same[places <= 3].all() and not same[places > 3].all()


def test_a_short_run_measures_what_is_made(tmp_path):
    task = sequence_to_sequence(judge=lambda task: {"judged": float(task.longest)})
    trainer = lightning.Trainer(
        max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False
    )
    data = data_for(task.tokenizer, task)
    trainer.fit(task, data)
    assert 0 <= trainer.callback_metrics["validation/exact"] <= 1
    (measured,) = trainer.test(task, data.loader("train"), verbose=False)
    assert set(measured) == {"test/loss", "test/exact", "test/judged"} and measured["test/judged"] == 5
    again = sequence_to_sequence()
    again.load_state_dict(task.state_dict())
    assert again.longest == 5


def test_averaged_weights_keep_how_long_the_longest_was(tmp_path):
    """An average of lengths, as whole numbers, would stay at that of the first batch."""
    task, kept = sequence_to_sequence(), ModelCheckpoint(tmp_path, save_last=True)
    trainer = lightning.Trainer(
        max_epochs=1, logger=False, callbacks=[EMAWeightAveraging(decay=0.9), kept], enable_progress_bar=False,
        enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(task, data_for(task.tokenizer, task))
    again = sequence_to_sequence()
    again.load_state_dict(torch.load(kept.last_model_path, weights_only=True)["state_dict"])
    assert again.longest == 5 and "longest" not in dict(again.named_buffers())


def test_a_temperature_draws_by_the_scores():
    generators = [torch.Generator().manual_seed(0)] * 4000
    scores = torch.tensor([[0.0, 1.0, -torch.inf]]).expand(4000, -1)
    share = (chosen(scores, 0.5, generators) == 1).float().mean().item()
    assert share == pytest.approx(torch.tensor([0.0, 2.0]).softmax(0)[1].item(), abs=0.03)
    assert (chosen(scores, 0.0, generators) == 1).all()


def test_what_is_drawn_depends_on_the_seed_and_not_on_batch_mates():
    task = noisy(sequence_to_sequence("image", "text"))
    prepared = [task.source.prepare(Sample("x", text)) for text in ("white over blue", "red over blue", "red over red")]
    three = task.make(prepared, temperature=4.0, seed=5)
    (alone,) = task.make(prepared[1:2], temperature=4.0, seed=6)
    torch.testing.assert_close(three[1], alone)
    again, other = (torch.stack(task.make(prepared, temperature=4.0, seed=seed)) for seed in (5, 9))
    assert torch.equal(again, torch.stack(three)) and not torch.equal(other, again)


def test_what_does_not_fit_is_named():
    with pytest.raises(ConfigError, match="has no 'images'.*Did you mean 'image'"):
        sequence_to_sequence(context="images")
    with pytest.raises(ConfigError, match="context=text is tokenizer.target, too"):
        sequence_to_sequence(context="text")
    with pytest.raises(ConfigError, match="Attention with Full.., shows tokens before they are guessed"):
        sequence_to_sequence(pattern=Full()).setup("fit")
    sequence_to_sequence().setup("fit")  # its cross-attention sees all of the context
    with pytest.raises(ConfigError, match="predicts discrete tokens, and ImageTokenizer has none"):
        TokenHead(DIM, several("image").modelled, None)
    with pytest.raises(ConfigError, match="temperature=-1 must be a number at least 0 and below inf"):
        sequence_to_sequence().ids_for({}, temperature=-1)
    with pytest.raises(ConfigError, match="guidance=3 is for runs trained with task.drop_context above 0"):
        sequence_to_sequence().ids_for({}, guidance=3)
    with pytest.raises(ConfigError, match="task.drop_context=1 must be a number at least 0 and below 1"):
        sequence_to_sequence(drop_context=1)
    task = sequence_to_sequence()
    with pytest.raises(ConfigError, match=r"set tokenizer.parts.text.bos=true"):
        type(task)(several("text"), task.backbone, task.head, context="image", optimizer=print, schedule=print)
    with pytest.raises(ConfigError, match="SequenceToSequence cannot use head=projection; set head=tokens"):
        type(task)(task.tokenizer, task.backbone, contrastive().head, context="image", optimizer=print, schedule=print)
    with pytest.raises(ConfigError, match="and WordTokenizer one: set tokenizer=several"):
        type(task)(task.target, task.backbone, task.head, context="image", optimizer=print, schedule=print)
