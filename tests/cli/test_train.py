"""The whole program in process: train, evaluate, predict, generate, resume, check."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from mmattn.cli.main import main
from mmattn.cli.predict import predict
from mmattn.cli.train import inherited
from mmattn.cli.use import evaluate
from mmattn.composition.compose import composed
from mmattn.errors import ConfigError
from mmattn.run import Run
from tests.cli.small import SMALL, stop_and_resume


def test_a_run_folder_is_complete(image_run):
    names = {path.name for path in image_run.iterdir()}
    assert {
        "config.yaml",
        "state.json",
        "versions.json",
        "split.json",
        "metrics.csv",
        "results.json",
        "report.html",
    } <= names
    assert {path.name for path in (image_run / ".hydra").iterdir()} == {"config.yaml", "overrides.yaml", "hydra.yaml"}
    results = json.loads((image_run / "results.json").read_text())
    assert {"test", "validation", "seconds", "steps", "tokens", "parameters", "seed"} <= set(results)
    assert results["steps"] == 16 and results["tokens"] > 0 and results["train_seconds"] <= results["seconds"]
    assert list(image_run.glob("*/*.ckpt")) and json.loads((image_run / "versions.json").read_text())["command"]
    split = json.loads((image_run / "split.json").read_text())
    assert not set(split["train"]) & set(split["test"])


def test_evaluate_repeats_the_result(image_run):
    results = json.loads((image_run / "results.json").read_text())
    assert evaluate(str(image_run))["accuracy"] == pytest.approx(results["test"]["accuracy"], abs=1e-6)


def test_predict_reads_new_files(image_run, tmp_path, monkeypatch, capsys):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    (found,) = predict(str(image_run), ["a.png"])
    assert found["label"] in found["probabilities"]
    assert sum(found["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert main(["predict", str(image_run), "a.png", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["name"] == found["name"]


def test_a_bad_file_does_not_lose_the_others(image_run, tmp_path, capsys):
    good, bad, missing = (str(tmp_path / name) for name in ("a.png", "b.png", "c.png"))
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(good)
    (tmp_path / "b.png").write_text("no picture")
    assert main(["predict", str(image_run), good, bad, missing, good]) == 1
    shown = capsys.readouterr()
    assert [line.split(":")[0] for line in shown.out.splitlines()] == [good, good]
    assert "2 of 4 could not be predicted" in shown.err and f"{bad}: is not" in shown.err and missing in shown.err
    assert main(["predict", str(image_run), good, bad, missing, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in found] == [good, bad, missing]
    assert ["error" in each for each in found] == [False, True, True] and "label" in found[0]


def test_the_same_seed_gives_the_same_weights(image_run, tmp_path):
    again = tmp_path / "again"
    assert main(["train", "image", *SMALL, f"run.dir={again}"]) == 0
    first, second = (Run.open(folder).weights("last") for folder in (image_run, again))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_resuming_at_an_epochs_end_is_exact(image_run, tmp_path, monkeypatch):
    folder = tmp_path / "stopped"
    stop_and_resume(SMALL, folder, monkeypatch)
    whole, resumed = (Run.open(each).weights("last") for each in (image_run, folder))
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)
    first, second = (json.loads((each / "results.json").read_text()) for each in (image_run, folder))
    assert first["tokens"] == second["tokens"] and first["test"] == second["test"]


def test_a_run_folder_is_not_overwritten(image_run, capsys):
    assert main(["train", "image", *SMALL, f"run.dir={image_run}"]) == 1
    assert "already holds a run" in capsys.readouterr().err


def test_weights_move_to_another_run(image_run, tmp_path):
    folder = tmp_path / "next"
    words = ["train", "image", *SMALL, f"init_from={image_run}", "init_parts=[backbone]", f"run.dir={folder}"]
    assert main(words) == 0


def test_weights_of_a_tokenizer_bring_its_state(image_run):
    origin = f"init_from={image_run}"
    assert inherited(composed(["experiment=image", origin])) == {"tokenizer": Run.open(image_run).state()["tokenizer"]}
    assert inherited(composed(["experiment=image", origin, "init_parts=[backbone]"])) == {}
    assert inherited(composed(["experiment=image"])) == {}
    with pytest.raises(ConfigError, match=r"set init_parts=\[backbone\]"):
        inherited(composed(["experiment=audio", origin]))


def test_a_report_that_fails_loses_no_result(tmp_path, monkeypatch, capsys):
    def broken(*arguments):
        raise ValueError("no ink")

    monkeypatch.setattr("mmattn.cli.train.write_report", broken)
    assert main(["train", "image", *SMALL, "trainer.max_epochs=1", f"run.dir={tmp_path / 'run'}"]) == 0
    assert (tmp_path / "run" / "results.json").is_file() and "no ink" in capsys.readouterr().err


def test_a_language_model_generates(tmp_path, capsys):
    folder = tmp_path / "text"
    assert main(["train", "text", *SMALL, "trainer.max_epochs=1", "+trainer.limit_val_batches=1",
                 "loader.batch_size=4", f"run.dir={folder}"]) == 0  # fmt: skip
    capsys.readouterr()
    assert main(["generate", str(folder), "--prompt", "The ", "--count", "5"]) == 0
    assert capsys.readouterr().out.startswith("The ")


def test_check_names_the_rules(capsys):
    assert main(["check", "tokenizer=protein"]) == 0
    assert "holds:" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, expected",
    [
        (["imag"], "Did you mean 'image'?"),
        (["image", "bakbone.depth=2"], "Did you mean 'backbone.depth'?"),
        (["image", "task=clasification"], "Did you mean 'classification'?"),
        (["image", "mixer.heads=3", "backbone.dim=128"], "heads=3 does not divide dim=128"),
        (["image", "+backbone.dept=2"], "Did you mean 'depth'?"),
        (["image", "mixer.kernel=spda"], "Did you mean 'sdpa'?"),
        (["mnist", "data.root=/nowhere/at/all"], "/nowhere/at/all"),
        (["audio", "data=audio_folder"], "data.root"),
        (["text", "pattern=full"], "pattern=causal"),
        (["image", "run.dir=/proc/nowhere"], "cannot be written"),
        (["image", "trainer.max_epochs=1", "trainer.check_val_every_n_epoch=2"], "never validates"),
        (["image", "loader.batch_size=0"], "loader.batch_size=0"),
        (["image", "loader.pool=0"], "loader.pool=0"),
        (["audio", "task=language_modelling", "head=tokens"], "discrete"),
    ],
)
def test_bad_config_is_one_clear_message(words, expected, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *words]) == 1
    message = capsys.readouterr().err
    assert expected in message and "Traceback" not in message
