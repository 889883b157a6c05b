"""A run notices that its data have changed, says what is different, and goes on where it is told to."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from mmattn.cli.main import main
from mmattn.cli.use import evaluate
from tests.cli.small import SMALL


def picture(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (8, 8)).astype(np.uint8)).save(path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("changing")
    for split in ("train", "validation", "test"):
        for label in "ab":
            for i in range(4):
                picture(folder / "data" / split / label / f"{i}.png", i)
    words = [*SMALL, "data=image_folder", f"data.root={folder / 'data'}", f"run.dir={folder / 'run'}"]
    assert main(["train", "image", *words]) == 0
    return folder


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the run."""
    shutil.copytree(trained / "run", tmp_path / "run")
    return tmp_path / "run"


def test_a_new_file_stops_evaluation_of_its_split_alone(run, trained, capsys):
    added = trained / "data" / "test" / "a" / "new.png"
    picture(added, 9)
    try:
        assert evaluate(str(run), "validation") and evaluate(str(run), "train")
        assert main(["evaluate", str(run)]) == 1
        message = capsys.readouterr().err
        assert "there were 8 and are 9, 1 new" in message and "new.png" in message and "--other-data" in message
        assert main(["evaluate", str(run), "--other-data"]) == 0
    finally:
        added.unlink()
    assert main(["evaluate", str(run)]) == 0


def test_a_run_is_not_resumed_with_other_data(run, trained, capsys):
    added = trained / "data" / "train" / "b" / "new.png"
    picture(added, 9)
    try:
        assert main(["train", "--resume", str(run)]) == 1
        assert "The train samples" in capsys.readouterr().err
        assert main(["train", "--resume", str(run), "--other-data"]) == 0
    finally:
        added.unlink()


def test_another_text_of_the_same_name_is_noticed_and_an_old_run_knows_names_alone(tmp_path, capsys):
    text = tmp_path / "input.txt"
    text.write_text("Before we proceed any further, hear me speak.\n" * 40)
    words = ["data=corpus", f"data.root={text}", "loader.batch_size=4", f"run.dir={tmp_path / 'run'}"]
    assert main(["train", "text", *SMALL, "tokenizer.max_length=33", "tokenizer.stride=32", *words]) == 0
    text.write_text("Before we proceed any farther, hear me speak.\n" * 40)
    assert main(["evaluate", str(tmp_path / "run"), "--split", "train"]) == 1
    assert "their names are the same" in capsys.readouterr().err
    path = tmp_path / "run" / "split.json"
    split = json.loads(path.read_text())
    del split["digests"]
    path.write_text(json.dumps(split))
    assert main(["evaluate", str(tmp_path / "run"), "--split", "train"]) == 0


def test_other_data_is_for_resuming(capsys):
    assert main(["train", "image", "--other-data"]) == 1
    assert "belongs to --resume" in capsys.readouterr().err
