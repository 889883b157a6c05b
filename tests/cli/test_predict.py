"""Predictions of files are those that evaluation counts, made of the same pieces, and few passes make many of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from mmattn.backbone import Backbone
from mmattn.build import build
from mmattn.cli.main import main
from mmattn.cli.predict import predict
from mmattn.cli.use import evaluate, load_task
from mmattn.run import Run, load_weights

WORDS = "good bad fine poor nice vile".split()
LONG = [  # 12 bytes to a piece, of which the next one sees 5 again
    "data=text_table", "tokenizer=text", "tokenizer.max_length=12", "tokenizer.stride=7", "position=rotary_1d",
    "data.files={train: train.csv, test: test.csv}", "loader.batch_size=8", "backbone.dim=32", "backbone.depth=1",
    "optimizer.learning_rate=0.01", "trainer.max_epochs=3",
]  # fmt: skip


@pytest.fixture(scope="module")
def long_texts(tmp_path_factory):
    """A run on texts that are cut, and its test texts, each in a file of its own, by their class."""
    folder = tmp_path_factory.mktemp("long")
    random = np.random.default_rng(0)
    texts = [(" ".join(random.choice(WORDS[i % 2 :: 2], 1 + i % 7)), i % 2) for i in range(60)]
    for name, some in (("train", texts[:40]), ("test", texts[40:])):
        rows = [f"{text},{label}" for text, label in some]
        (folder / f"{name}.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    files = {}
    for i, (text, label) in enumerate(texts[40:]):
        (folder / f"{i}.txt").write_text(text)
        files[str(folder / f"{i}.txt")] = label
    assert main(["train", *LONG, f"data.root={folder}", f"run.dir={folder / 'run'}"]) == 0
    return str(folder / "run"), files


def test_predictions_of_the_test_files_are_those_that_evaluation_counts(long_texts):
    run, files = long_texts
    found = predict(run, list(files))
    assert [each["name"] for each in found] == list(files)
    right = [int(each["label"]) == label for each, label in zip(found, files.values(), strict=True)]
    assert 0 < sum(right) and np.mean(right) == pytest.approx(evaluate(run)["accuracy"])


@torch.no_grad()
def test_chances_are_those_of_the_evaluated_pieces(long_texts):
    run, files = long_texts
    opened = Run.open(run)
    built = build(opened.config, opened.state()["tokenizer"])
    load_weights(built.task.eval(), opened.weights(), run)
    pieces: dict[int, list[torch.Tensor]] = {}
    for batch in built.data.loader("test"):
        for sample, scores in zip(batch["samples"].tolist(), built.task(batch), strict=True):
            pieces.setdefault(sample, []).append(scores.softmax(-1))
    assert max(len(each) for each in pieces.values()) > 2
    for sample, said in enumerate(predict(run, list(files))):
        expected = torch.stack(pieces[sample]).mean(0).tolist()
        assert list(said["probabilities"].values()) == pytest.approx(expected, abs=1e-6)


def test_files_of_several_sizes_take_few_passes(image_run, tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    files = [str(tmp_path / f"{i}.png") for i in range(70)]
    for i, file in enumerate(files):
        Image.fromarray(random.integers(0, 256, (6 + i % 3, 7 + i % 2), np.uint8)).save(file)
    alone = [predict(str(image_run), [file])[0] for file in files[:6]]
    passes, forward = [], Backbone.forward
    monkeypatch.setattr(
        Backbone, "forward", lambda self, tokens: passes.append(len(tokens.embeddings)) or forward(self, tokens)
    )
    found = predict(str(image_run), files)
    assert passes == [32, 32, 6]  # the run's batch size
    for one, together in zip(alone, found, strict=False):
        assert one["name"] == together["name"]
        assert one["probabilities"] == pytest.approx(together["probabilities"], abs=1e-5)


def test_what_the_model_refuses_is_named_and_the_others_are_predicted(image_run, tmp_path, monkeypatch):
    task, sizes = load_task(str(image_run)), {"a.png": 8, "long.png": 16, "c.png": 8}
    for name, size in sizes.items():
        Image.new("L", (size, size), 100).save(tmp_path / name)
    task.tokenizer.resize = None  # a run whose pictures may have any size
    monkeypatch.setattr("mmattn.cli.predict.load_task", lambda *_: task)
    found = predict(str(image_run), [str(tmp_path / name) for name in sizes])
    assert [each.get("error", "")[:32] for each in found] == ["", "a sample needs [8, 8] places and", ""]
    assert found[0]["probabilities"] == pytest.approx(found[2]["probabilities"], abs=1e-6)


def test_runs_that_make_pictures_predict_nothing(drawing_run, capsys):
    assert main(["predict", str(drawing_run), "a.png"]) == 1
    assert f"mmattn generate {drawing_run} draws a prompt, or a --prompt-file" in capsys.readouterr().err
