"""`mmattn generate` for runs that make pictures."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from mmattn.cli.main import main
from mmattn.cli.use import evaluate
from mmattn.report.pictures import in_rows


@pytest.fixture
def run(drawing_run):
    return drawing_run


def drawn(run, tmp_path, *words: str) -> np.ndarray:
    out = tmp_path / "out.png"
    assert main(["generate", str(run), "--out", str(out), "--steps", "2", *words]) == 0
    return np.asarray(Image.open(out))


def test_pictures_stand_side_by_side_and_follow_their_seeds(run, tmp_path):
    two = drawn(run, tmp_path, "--prompt", "a red circle", "--count", "2", "--seed", "3")
    assert two.shape == (32, 66, 3)
    later = drawn(run, tmp_path, "--prompt", "a red circle", "--seed", "4")
    assert np.abs(two[:, 34:].astype(int) - later).max() <= 1
    assert (two[:, :32] != two[:, 34:]).any()


def test_many_pictures_stand_in_rows_of_eight():
    pictures = [np.full((3, 4), place, np.uint8) for place in range(11)]
    out = in_rows(pictures)
    assert out.shape == (3 + 2 + 3, 8 * 4 + 7 * 2)
    assert out[6, 2 * 6] == 10 and (out[6, 3 * 6 :] == 255).all() and out[0, -1] == 7
    assert (in_rows(pictures[:1]) == pictures[0]).all()


def test_the_test_judges_what_the_kept_weights_draw_and_so_does_evaluation(run):
    results = json.loads((run / "results.json").read_text())
    assert {"loss", "colour", "shape", "all", "heldout_colour", "heldout_all"} <= set(results["test"])
    assert set(results["validation"]) == {"loss"}
    assert evaluate(str(run)) == pytest.approx(results["test"], abs=1e-6)


def test_heun_and_guidance_can_be_asked_for(run, tmp_path):
    one = drawn(run, tmp_path, "--prompt", "a red circle", "--sampler", "heun", "--guidance", "1")
    assert one.shape == (32, 32, 3)


def test_an_empty_prompt_is_said_and_drawn(run, tmp_path, capsys):
    assert drawn(run, tmp_path, "--prompt", " ").shape == (32, 32, 3)
    assert "The prompt is empty: pictures are unconditional" in capsys.readouterr().err


def test_what_training_never_asked_for_is_drawn_and_told(run, tmp_path, capsys):
    drawn(run, tmp_path, "--prompt", "a small red circle above a blue star")
    assert "unlike what this run learned from, and may be drawn wrong. It tells sizes of 2" in capsys.readouterr().err
    drawn(run, tmp_path, "--prompt", "a red circle above a blue star")
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--prompt", "a rod circle"], "training never showed 'rod' often enough to learn it. Did you mean 'red'?"),
        (["--prompt", "a rod cicle"], "'rod', 'cicle' often enough to learn it. Did you mean 'red'? Did"),
        (["--prompt", "a red zeppelin"], "never showed 'zeppelin' often enough to learn it. It knows: a, above,"),
        (["--prompt", "a red circle", "--guidance", "-1"], "guidance=-1.0 must be a number at least 0"),
        (["--prompt", "a red circle", "--temperature", "1"], "--temperature: pictures of this run are made with"),
        (["--prompt", "a red circle", "--count", "0"], "--count=0 must be at least 1"),
        (["--prompt", "a red circle", "--out", "out.jpg"], "--out=out.jpg: pictures are written as PNG"),
        (["--prompt", "a red circle", "--out", "no/such/folder.png"], "cannot be written"),
    ],
)
def test_what_cannot_be_drawn_is_said(run, words, said, capsys):
    assert main(["generate", str(run), "--steps", "1", *words]) == 1
    assert said in capsys.readouterr().err


def test_a_language_model_draws_nothing(tmp_path, capsys):
    folder = tmp_path / "text"
    few = ["backbone.dim=16", "backbone.depth=1", "trainer.max_epochs=1", "+trainer.limit_train_batches=1"]
    assert main(["train", "text", *few, "+trainer.limit_val_batches=1", f"run.dir={folder}"]) == 0
    assert main(["generate", str(folder), "--prompt", "The", "--guidance", "2"]) == 1
    assert "goes on with texts" in capsys.readouterr().err
