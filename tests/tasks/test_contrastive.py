"""Pictures and captions find each other, and nothing that is measured is measured on itself."""

from __future__ import annotations

from types import SimpleNamespace

import lightning
import pytest
import torch
from torch.nn.functional import normalize

from mmattn import ConfigError
from mmattn.data.source import Sample
from mmattn.tasks.meanings import Meanings
from mmattn.tasks.pair_losses import SigmoidLoss, SoftmaxLoss
from mmattn.tasks.retrieval import Candidates, Hard, Recall, RecallBack
from tests.tasks.pairs import contrastive, data_for, learn, whole_batch


@pytest.mark.parametrize("loss", [SoftmaxLoss(), SigmoidLoss()], ids=["softmax", "sigmoid"])
def test_sixteen_pairs_find_each_other(loss):
    task = contrastive(loss)
    batch = whole_batch(task)
    before = task.evaluate(batch).loss.item()
    assert learn(task, batch, 200) < min(0.3, before / 10)
    with torch.no_grad():
        scores = task.evaluate(batch)
    found = {name: kind() for name, kind in {"recall": Recall, "back": RecallBack, "hard": Hard}.items()}
    for metric in found.values():
        metric.update(*task.compared(scores, batch))
    assert {name: float(metric.compute()) for name, metric in found.items()} == {"recall": 1, "back": 1, "hard": 1}
    red = task.tokenizer.modelled.prepare(Sample("x", data_for(task.tokenizer).splits["train"][0].value["image"]))
    prompts = "blue over blue", "red over red", "white over white"
    chances = task.zero_shot([red, red], prompts)
    assert chances.shape == (2, 3) and chances[0].argmax() == 1
    torch.testing.assert_close(chances.sum(1), torch.ones(2))


def test_predictions_name_the_nearest_prompt():
    task = contrastive(prompts=["red over red", "blue over blue"]).eval()
    (sample,) = [task.reads.prepare(Sample("x", data_for(task.tokenizer).splits["train"][0].value["image"]))]
    said = task.predicted([sample], task.said(task.reads.collate([sample])))
    assert list(said["probabilities"]) == ["red over red", "blue over blue"]
    assert said["label"] == max(said["probabilities"], key=said["probabilities"].get)
    with pytest.raises(ConfigError, match="set task.prompts"):
        contrastive().said(task.reads.collate([sample]))


def test_prompts_that_training_never_shows_are_refused():
    task = contrastive(prompts=["red over red", "read over red"])
    with pytest.raises(ConfigError, match="task.prompts: training never showed 'read'. Did you mean 'red'"):
        task.setup("fit")


def test_recall_is_that_of_pairs_that_differ():
    first = normalize(torch.tensor([[1.0, 0], [0, 1], [1, 0.1], [-1, 0]]), dim=-1)
    second = normalize(torch.tensor([[1.0, 0.1], [1, 0.2], [0, 1], [-1, 0.3]]), dim=-1)[:, None]
    meanings = torch.tensor([-7, 3, -7, 0])  # the third says what the first says: left out
    found = {}
    for kind in (Recall, RecallBack, Candidates):
        metric = kind()
        metric.update(first[:2], second[:2], meanings[:2])
        metric.update(first[2:], second[2:], meanings[2:])
        found[kind] = float(metric.compute())
    # The second picture is nearest to the third caption, and the second caption to the first picture.
    assert found == {Recall: pytest.approx(2 / 3), RecallBack: pytest.approx(2 / 3), Candidates: 3}


def test_hard_compares_a_sample_with_its_own_wrong_ones():
    first = torch.tensor([[1.0, 0], [0, 1]])
    second = torch.tensor([[[0.9, 0], [0.8, 0]], [[0, 0.5], [0, 0.5]]])  # a draw is no success
    metric = Hard()
    metric.update(first, second, torch.tensor([0, 1]))
    assert float(metric.compute()) == 0.5


def test_texts_that_say_the_same_have_one_number():
    sides = Meanings("text", lambda text: frozenset(text.split()))
    numbers = [sides.read(Sample("x", {"text": text}), {}, None) for text in ("a b", "b a", "a c")]
    stacked = sides.stack(numbers, "right")
    assert stacked.dtype == torch.int64 and stacked[0] == stacked[1] != stacked[2]
    plain = [Meanings("text").read(Sample("x", {"text": text}), {}, None) for text in ("a b", "b a")]
    assert plain[0] != plain[1]


def test_what_is_no_text_says_what_its_class_is():
    """Sounds of one class are no wrong partners of each other's pictures; without classes, each is its own."""
    sides = Meanings("sound")
    samples = [Sample("a", {"sound": object()}, 3), Sample("b", {"sound": object()}, 3), Sample("c", {"sound": 0}, 1)]
    one, two, other = (int(sides.read(each, {}, None)) for each in samples)
    assert one == two != other
    first, again, second = (int(sides.read(Sample(name, {"sound": object()}), {}, None)) for name in "aab")
    assert first == again != second


def test_a_part_of_several_kinds_says_what_its_texts_say_together():
    both = SimpleNamespace(part=lambda name: SimpleNamespace(kinds={"text": None, "more": None}))
    sides = Meanings("both", lambda text: frozenset(text.split()))
    values = {"a": ("x y", "z"), "b": ("y x", "z"), "c": ("x y", "w")}
    one, two, other = (
        int(sides.read(Sample(name, {"text": text, "more": more}), {}, both)) for name, (text, more) in values.items()
    )
    assert one == two != other


def test_all_processes_see_all_pairs(monkeypatch):
    """Two processes of eight pairs each have the loss of one process of sixteen."""
    task = contrastive().train()
    dataset = data_for(task.tokenizer, task).dataset("train")
    whole, mine, other = (dataset.batch([(0, i) for i in range(*span)]) for span in ((0, 16), (0, 8), (8, 16)))
    theirs = task.evaluate(other)
    waiting = [theirs.prediction, theirs.target, other["labels"]]
    monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
    monkeypatch.setattr(task, "all_gather", lambda x, sync_grads: torch.stack([x, waiting.pop(0)]))
    together = task.evaluate(mine)
    assert waiting == []
    monkeypatch.undo()
    torch.testing.assert_close(together.loss, task.evaluate(whole).loss)
    assert together.count == 8 and not torch.isclose(together.loss, task.evaluate(mine).loss)


def test_a_short_run_measures_both_ways():
    task = contrastive()
    trainer = lightning.Trainer(
        max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False
    )
    data = data_for(task.tokenizer, task)
    trainer.fit(task, data)
    measured = {name.removeprefix("validation/") for name in trainer.callback_metrics if name.startswith("validation")}
    assert measured == {"loss", "recall", "recall_back", "candidates", "hard"}
    assert trainer.callback_metrics["validation/candidates"] == 16
    cards = task.eval().cards(data.dataset("validation"), [0, 1, 2])
    assert [card.truth for card in cards] == ["red over red", "red over green", "red over blue"]
    assert all(len(card.chances) == 3 and card.parts[0][1].shape == (8, 8, 3) for card in cards)


def test_weights_are_kept_once():
    assert not [name for name in contrastive().state_dict() if name.startswith("source")]


def test_what_does_not_fit_is_named():
    with pytest.raises(ConfigError, match=r"task.wrong names 'other': set tokenizer.also=\{other: text\}"):
        contrastive(wrong=["other"])
    with pytest.raises(ConfigError, match="has no 'texts'.*Did you mean 'text'"):
        contrastive(context="texts")
