"""Pictures of the same prompts after each epoch: what they show, and that training does not notice them."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import torch
from PIL import Image

from mmattn.cli.main import main
from mmattn.cli.use import load_task
from mmattn.data.scenes import Scenes
from mmattn.data.source import Sample
from mmattn.errors import TrainingError
from mmattn.report.course import course, save
from mmattn.run import Run, load_weights
from mmattn.tasks.base import Task

SMALL = [
    "backbone.dim=16", "backbone.depth=3", "backbone.layers=[grid,cross,self]",
    "data.train=16", "data.validation=4", "data.test=2", "loader.batch_size=8",
    "trainer.max_epochs=2", "task.judge.prompts=1", "task.judge.steps=1",
]  # fmt: skip
DRAWN = ["callbacks.pictures.steps=2", "callbacks.ema.decay=0.5"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "drawn"
    assert main(["train", "text_to_image", *SMALL, *DRAWN, f"run.dir={folder}"]) == 0
    return folder


def losses(folder):
    with (folder / "metrics.csv").open() as file:
        return [(row["train/loss"], row["validation/loss"]) for row in csv.DictReader(file)]


def test_each_epoch_leaves_a_row_of_pictures_and_the_report_shows_them(run):
    paths = sorted((run / "pictures").iterdir())
    assert [path.name for path in paths] == ["epoch_001.png", "epoch_002.png"]
    first, second = (Image.open(path) for path in paths)
    prompts = Scenes().prompts
    assert first.size == (34 * len(prompts) - 2, 32) and first.info["prompts"].split("\n") == list(prompts)
    assert (np.asarray(first) != np.asarray(second)).any()
    page = (run / "report.html").read_text()
    assert page.count('class="strip"') == 2 and "a red circle; a large blue square" in page


def test_they_are_made_with_the_averaged_weights(run):
    """Those of the last epoch's checkpoint, with the same noise."""
    task = load_task(str(run))
    load_weights(task, Run.open(run).weights("last"), str(run))
    contexts = [task.source.prepare(Sample(prompt, prompt)) for prompt in Scenes().prompts]
    made = task.pictures(contexts, count=len(contexts), seed=0, guidance=3.0, steps=2)
    stored = np.asarray(Image.open(run / "pictures/epoch_002.png"))
    assert all(np.abs(stored[:, 34 * i : 34 * i + 32].astype(int) - each).max() <= 1 for i, each in enumerate(made))


def test_training_is_the_same_without_them(run, tmp_path):
    words = ["train", "text_to_image", *SMALL, "callbacks=ema", "callbacks.ema.decay=0.5"]
    assert main([*words, f"run.dir={tmp_path / 'plain'}"]) == 0
    assert len(losses(run)) >= 4 and losses(tmp_path / "plain") == losses(run)
    assert not (tmp_path / "plain" / "pictures").exists()


@pytest.mark.slow
def test_a_resumed_run_draws_what_the_uninterrupted_one_does(run, tmp_path, monkeypatch):
    step = Task.training_step

    def stop(task, batch, index):
        if task.current_epoch == 1:
            raise TrainingError("stopped by the test")
        return step(task, batch, index)

    with monkeypatch.context() as patched:
        patched.setattr(Task, "training_step", stop)
        assert main(["train", "text_to_image", *SMALL, *DRAWN, f"run.dir={tmp_path / 'again'}"]) == 1
    assert main(["train", "--resume", str(tmp_path / "again")]) == 0
    for name in ("epoch_001.png", "epoch_002.png"):
        assert (tmp_path / "again/pictures" / name).read_bytes() == (run / "pictures" / name).read_bytes()
    ours, theirs = (Run.open(each).weights("last") for each in (run, tmp_path / "again"))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["callbacks.pictures.prompts=[a rod circle]"],
            "training never showed 'rod' often enough to learn it. Did you mean 'red'?",
        ),
        (["callbacks.pictures.prompts=a red circle"], "must be a list of prompts"),
        (["callbacks.pictures.steps=0"], "callbacks.pictures.steps=0 must be a whole number, at least 1"),
    ],
)
def test_what_cannot_be_drawn_is_said_before_the_first_step(words, said, tmp_path, capsys):
    assert main(["train", "text_to_image", *SMALL, *words, f"run.dir={tmp_path / 'run'}"]) == 1
    assert said in capsys.readouterr().err and not (tmp_path / "run" / "checkpoints").exists()


def test_data_without_prompts_of_their_own_show_their_first_captions(tmp_path):
    root = tmp_path / "data"
    root.mkdir()
    rows = []
    for number, sample in enumerate(Scenes().tests(12)):
        sample.value["image"].save(root / f"{number}.png")
        rows.append(json.dumps({"file": f"{number}.png", "text": sample.value["text"]}))
    (root / "captions.jsonl").write_text("\n".join(rows))
    own = [word for word in SMALL if not word.startswith(("data.", "trainer."))]
    words = [
        "data=captions_folder",
        f"data.root={root}",
        "data.validation=0.25",
        "trainer.max_epochs=1",
        "callbacks.pictures.most=2",
        *DRAWN,
    ]
    assert main(["train", "text_to_image", *own, *words, f"run.dir={tmp_path / 'run'}"]) == 0
    image = Image.open(tmp_path / "run/pictures/epoch_001.png")
    known = {json.loads(row)["text"] for row in rows}
    assert image.width == 66 and all(prompt in known for prompt in image.info["prompts"].split("\n"))


def test_a_run_that_makes_texts_has_no_pictures(tmp_path, capsys):
    words = ["data.train=4", "data.validation=2", "data.test=2", "callbacks=pictures", f"run.dir={tmp_path / 'run'}"]
    assert main(["train", "image_to_text", *words]) == 1
    assert "callbacks.pictures: tokenizer.target=text is no picture; leave it out." in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.ckpt"))


def test_a_report_shows_some_epochs_of_many(tmp_path):
    picture = np.zeros((4, 4, 3), np.uint8)
    for epoch in range(1, 41):
        save(tmp_path / "pictures", epoch, [picture, picture], ["<a>", "ü"])
    page = course(tmp_path)
    assert page.count("<img") == 12 and "epoch 1<" in page and "epoch 40<" in page and "&lt;a&gt;; ü" in page
    assert course(tmp_path / "none") == ""
