"""Every task drives 16 samples to near-zero loss, and knows its targets."""

from __future__ import annotations

import warnings

import lightning
import pytest
import torch

from mmattn.build import build
from mmattn.composition.compose import composed
from mmattn.data.arrays import Arrays
from mmattn.data.datamodule import DataModule
from mmattn.data.source import Sample
from mmattn.sequence import TokenInfo, TokenSequence
from mmattn.tasks.next_token import next_tokens

SMALL = ["backbone.dim=32", "backbone.depth=1", "backbone.dropout=0", "optimizer.weight_decay=0"]


def overfit(experiment, steps, **changes):
    lightning.seed_everything(0, verbose=False)
    extra = [f"{key}={value}" for key, value in changes.items()]
    config = composed([f"experiment={experiment}", *SMALL, *extra])
    built = build(config)
    samples = [built.data.splits["train"][i] for i in range(16)]
    train, one = ([s.value for s in samples], [s.label for s in samples]), ([samples[0].value], [samples[0].label])
    few = DataModule(Arrays(train, one, classes=built.data.source.classes), built.tokenizer)
    few.labels = built.data.labels
    batch = next(iter(few.loader("validation")))
    few._datasets.clear()
    dataset = few.dataset("train")
    batch = dataset.batch([(0, i) for i in range(len(dataset))][:16])
    task = built.task.train()
    optimizer = torch.optim.Adam(task.parameters(), lr=5e-3)
    for _ in range(steps):
        torch.manual_seed(0)  # masked modelling hides the same tokens each time
        loss = task.evaluate(batch).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


@pytest.mark.parametrize(
    "experiment, changes",
    [
        ("image", {"task.label_smoothing": 0}),
        ("audio", {}),
        ("protein", {}),
        ("text_classification", {}),
        ("audio_tags", {"data.train": 16, "data.validation": 4, "data.test": 4}),
        ("text_tagging", {"data.shortest": 60, "data.longest": 100}),
        ("protein_masked", {}),
        ("text", {"tokenizer.max_length": 33, "tokenizer.stride": 32}),
    ],
)
def test_sixteen_samples_are_learned_by_heart(experiment, changes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert overfit(experiment, 150, **changes) < 0.15


def test_masked_patches_of_sixteen_images_are_learned():
    assert overfit("image_masked", 300) < 0.15


def test_generation_leaves_the_prompt_open_and_stops_at_the_end_mark():
    task = build(composed(["experiment=text", "backbone.dim=16", "backbone.depth=1", "tokenizer.eos=true"])).task
    end = task.tokenizer.eos_id
    assert end not in task.generate([5, 6, end], 0)
    torch.nn.init.constant_(task.head.bias[end : end + 1], 100.0)
    assert task.generate([5, 6, end], 10) == [5, 6, end]


def test_a_batch_without_any_next_token_costs_nothing():
    built = build(composed(["experiment=text", "backbone.dim=16", "backbone.depth=1"]))
    batch = built.tokenizer.collate([built.tokenizer.prepare(Sample("a", "x"))])
    scores = built.task.evaluate(batch)
    assert scores.count == 0 and scores.loss.item() == 0


def test_next_tokens_stay_within_documents():
    info = TokenInfo.from_lengths([5])
    info = TokenInfo(**{**vars(info), "document": torch.tensor([[0, 0, 1, 1, -1]]), "known_layout": None})
    ids = torch.tensor([[4, 5, 6, 7, -1]])
    target = next_tokens(TokenSequence(torch.zeros(1, 5, 1), info, ids))
    assert target.tolist() == [[5, -1, 7, -1, -1]]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", ["image", "text", "audio", "protein"])
def test_each_modality_trains_on_a_gpu(name, tmp_path):
    from mmattn.cli.main import main

    assert main(["train", name, "trainer.max_epochs=1", "trainer.accelerator=gpu", f"run.dir={tmp_path / name}"]) == 0
