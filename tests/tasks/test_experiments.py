"""Every experiment, found by itself, composes, builds, and trains for two real steps."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
import torch
from omegaconf import OmegaConf

from mmattn.build import build
from mmattn.cli.main import main
from mmattn.cli.predict import predict
from mmattn.cli.train import inherited, start_from
from mmattn.composition.compose import choices, composed
from mmattn.data.python_code import KINDS
from mmattn.data.scenes import Scenes
from mmattn.data.scenes.grammar import WORDS
from mmattn.errors import ConfigError
from mmattn.run import Run
from tests.tasks.fake_sets import FAKES

SMALL = ["backbone.dim=32", "backbone.depth=3", "loader.batch_size=4"]  # no experiment has more unlike layers
TWO_STEPS = [*SMALL, "trainer.max_epochs=1", "+trainer.limit_train_batches=2", "+trainer.limit_val_batches=1"]
FEW = {
    "dates": ["data.train=64", "data.validation=8", "data.test=8"],
    "scenes": ["data.train=16", "data.validation=8", "data.test=8"],
    "scenes_hard": ["data.train=16", "data.validation=8", "data.test=8"],
    "python_code": ["data.shortest=60", "data.longest=80"],
    "synthetic_audio": ["data.train=16", "data.validation=8", "data.test=8"],
    "synthetic_chords": ["data.train=16", "data.validation=8", "data.test=8"],
}
"""By the name of the data's config: what makes it small."""

ONE_OF_EACH_TASK = {
    "text_to_image",
    "image",
    "text",
    "protein_masked",
    "audio_tags",
    "text_tagging",
    "contrastive",
    "image_to_text",
}
WITH_PREDICTIONS = {"audio_tags", "text_tagging", "contrastive", "image_to_text"}
EXPERIMENTS = choices("experiment")


def data_of(experiment):
    """The name of the experiment's data config, its own or that of the experiment on which it builds."""
    defaults = OmegaConf.load(f"conf/experiment/{experiment}.yaml").get("defaults", [])
    own = [entry["override /data"] for entry in defaults if "override /data" in entry]
    built_on = [data_of(entry) for entry in defaults if isinstance(entry, str) and entry != "_self_"]
    return next(iter([*own, *built_on]), "digits")


LEAN = "backbone.layers=[grid,cross,self]"  # as many as `SMALL` has
DRAWN = [LEAN, "task.judge.prompts=4", "task.judge.steps=2", "callbacks.pictures.steps=2"]
OF_FEW = {
    "dates": ["data.train=64", "data.validation=8", "data.test=8"],
    "text_to_image": DRAWN,
    "text_to_image_hard": DRAWN,
    "text_to_image_autoregressive": ["tokenizer.parts.image.codes=8", "task.judge.prompts=4"],
    "class_to_image": [LEAN, "data.most=2", "callbacks.pictures.steps=2"],
    "sound_to_image": [LEAN, "data.most=2", "callbacks.pictures.steps=2"],
    "text_to_image_captions": [LEAN, "callbacks.pictures.steps=2"],
}
"""By the name of the experiment: what little data and little time need."""


def words_for(experiment, folder):
    """Overrides that make its data small, and there."""
    data = data_of(experiment)
    if not OmegaConf.is_missing(composed([f"experiment={experiment}"]).data, "root"):
        return FEW.get(data, []) + OF_FEW.get(experiment, [])
    folder.mkdir()
    FAKES[data](folder)
    return [f"data.root={folder}", *OF_FEW.get(experiment, [])]


def two_steps(experiment, tmp_path):
    words = words_for(experiment, tmp_path / "data")
    run = tmp_path / "run"
    assert main(["train", experiment, *TWO_STEPS, *words, f"run.dir={run}"]) == 0
    results = json.loads((run / "results.json").read_text())
    assert results["steps"] == 2 and results["validation"]["loss"] > 0
    return run


@pytest.mark.parametrize("experiment", sorted(ONE_OF_EACH_TASK - WITH_PREDICTIONS))
def test_an_experiment_of_a_task_trains(experiment, tmp_path):
    two_steps(experiment, tmp_path)


def test_several_labels_are_trained_and_predicted(tmp_path, capsys):
    run, clip = two_steps("audio_tags", tmp_path), tmp_path / "clip.wav"
    soundfile.write(clip, np.random.default_rng(0).normal(0, 0.1, 4000), 8000)
    (said,) = predict(str(run), [str(clip)])
    assert len(said["probabilities"]) == 12
    assert said["labels"] == [name for name, chance in said["probabilities"].items() if chance >= 0.5]
    capsys.readouterr()
    assert main(["predict", str(run), str(clip)]) == 0
    assert capsys.readouterr().out.startswith(f"{clip}: ")


def test_labels_of_tokens_are_trained_and_predicted(tmp_path, capsys):
    run, program = two_steps("text_tagging", tmp_path), tmp_path / "program.py"
    program.write_text("x = 1\n")
    (said,) = predict(str(run), [str(program)])
    assert [token["unit"] for token in said["tokens"]] == list(range(6))
    assert "".join(token["token"] for token in said["tokens"]) == "x␣=␣1\\n"
    assert {token["label"] for token in said["tokens"]} <= set(KINDS)
    capsys.readouterr()
    assert main(["predict", str(run), str(program)]) == 0
    assert capsys.readouterr().out.startswith(f"{program}: ")
    assert 'class="wrong"' in (run / "report.html").read_text()  # two steps teach little


def test_pictures_are_matched_with_prompts(tmp_path, scene):
    run = two_steps("contrastive", tmp_path)
    (said,) = predict(str(run), [str(scene)])
    assert len(said["probabilities"]) == 6 and said["label"] in said["probabilities"]
    results = json.loads((run / "results.json").read_text())
    assert set(results["test"]) == {"loss", "recall", "recall_back", "candidates", "hard"}


def test_an_encoder_of_texts_moves_with_its_part_of_the_tokenizer(tmp_path):
    """The words of the first run, which are more than those that the second one's samples hold."""
    first = two_steps("contrastive", tmp_path)
    theirs = Run.open(first).weights("best")
    parts = "init_parts=[encoder, tokenizer.parts.text]"
    for experiment, words in (
        ("text_to_image", [LEAN]),
        ("text_to_image_autoregressive", ["tokenizer.parts.image.codes=8"]),
    ):
        few = ["data.train=4", "data.validation=2", "data.test=2", *words]
        config = composed([f"experiment={experiment}", *SMALL, *few, f"init_from={first}", parts])
        states = inherited(config)
        assert states == {"tokenizer.parts.text": Run.open(first).state()["tokenizer"]["text"]}
        task = build(config, None, states).task
        start_from(task, config)
        for name in (
            "encoder.norm.weight",
            "encoder.position.table",
            "encoder.blocks.1.mixer.query.weight",
            "tokenizer.parts.text.embedding.weight",
        ):
            assert torch.equal(task.state_dict()[name], theirs[name])
    config.init_parts = ["encoder", "tokenizer.parts.sound"]
    with pytest.raises(ConfigError, match="tokenizer.parts.sound"):
        inherited(config)
    config.init_parts = ["decoder"]
    with pytest.raises(
        ConfigError, match="init_parts names 'decoder', .*; known here: tokenizer, backbone, head, encoder"
    ):
        start_from(task, config)


@pytest.mark.slow
def test_pictures_of_codes_are_judged(tmp_path, capsys):
    run = two_steps("text_to_image_autoregressive", tmp_path)
    test = json.loads((run / "results.json").read_text())["test"]
    assert {"loss", "colour", "shape", "all", "heldout_colour", "heldout_shape", "heldout_all"} <= set(test)
    capsys.readouterr()
    assert main(["generate", str(run), "--prompt", " ", "--out", str(tmp_path / "out.png")]) == 0
    assert "The prompt is empty: pictures are unconditional" in capsys.readouterr().err
    assert main(["generate", str(run), "--prompt", "a red circle", "--out", str(tmp_path / "out.png")]) == 0


def test_pictures_are_described(tmp_path, scene, capsys):
    run = two_steps("image_to_text", tmp_path)
    (said,) = predict(str(run), [str(scene)])
    assert set(said["text"].split()) <= {*WORDS, ""}
    capsys.readouterr()
    assert main(["predict", str(run), str(scene)]) == 0
    assert capsys.readouterr().out.rstrip() == f"{scene}: {said['text']}".rstrip()
    assert main(["generate", str(run), "--prompt-file", str(scene)]) == 1
    assert "This run makes texts, no pictures: `mmattn predict" in capsys.readouterr().err
    results = json.loads((run / "results.json").read_text())
    assert set(results["test"]) == {"loss", "exact"}


def test_dates_are_read_line_by_line(tmp_path, capsys):
    run, dates = two_steps("dates", tmp_path), tmp_path / "dates.txt"
    dates.write_text("26. November 2026\n\n2026年11月26日\n", encoding="utf-8")
    first, third = predict(str(run), [str(dates)])
    assert (first["name"], third["name"]) == (f"{dates}, line 1", f"{dates}, line 3")
    assert set(first["text"] + third["text"]) <= set("0123456789-")
    capsys.readouterr()
    assert main(["predict", str(run), str(dates)]) == 0
    assert capsys.readouterr().out.startswith(f"{dates}, line 1: {first['text']}\n")
    results = json.loads((run / "results.json").read_text())
    assert set(results["test"]) == {"loss", "exact"}


def test_lines_of_two_files_take_the_place_of_dates(tmp_path):
    for end, texts in (("de", "eins zwei drei vier"), ("en", "one two three four")):
        for split in ("train", "test"):
            (tmp_path / f"{split}.{end}").write_text("\n".join(texts.split()) + "\n")
    words = ["data=parallel_text", f"data.root={tmp_path}", "data.languages=[de,en]", "loader.validation_fraction=0.3"]
    keep = "tokenizer.parts.target.unknown=keep"  # the four samples for training lack some characters
    run = [f"run.dir={tmp_path / 'run'}", "trainer.max_steps=1"]
    assert main(["train", "dates", *SMALL, *words, keep, *run]) == 0


@pytest.fixture
def scene(tmp_path):
    path = tmp_path / "scene.png"
    Scenes(train=1).samples("train")[0].value["image"].save(path)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("experiment", sorted(set(EXPERIMENTS) - ONE_OF_EACH_TASK))
def test_every_other_experiment_trains(experiment, tmp_path):
    two_steps(experiment, tmp_path)


@pytest.mark.parametrize("experiment", sorted(set(EXPERIMENTS) - ONE_OF_EACH_TASK))
def test_every_other_experiment_builds(experiment, tmp_path):
    built = build(composed([f"experiment={experiment}", *SMALL, *words_for(experiment, tmp_path / "data")]))
    batch = built.data.dataset("validation").batch([(0, 0)])
    assert torch.isfinite(built.task.eval().evaluate(batch).loss)


def test_an_experiment_may_build_on_another_one():
    """SST-2's is that of TREC but for what it names itself."""
    ours, theirs = (OmegaConf.to_container(composed([f"experiment={name}"])) for name in ("sst2", "trec"))
    assert ours["data"] == OmegaConf.to_container(composed(["data=sst2"]).data)
    assert ours["name"] == "sst2" and ours["tokenizer"]["token_dropout"] == 0.3
    theirs["tokenizer"]["token_dropout"] = 0.3
    assert ours == {**theirs, "data": ours["data"], "name": "sst2"}


def test_masked_speech_is_a_beginning_for_spoken_digits(tmp_path):
    """The tokenizer and the backbone of one fit the other."""
    words = words_for("fsdd_masked", tmp_path / "data")
    hidden, tuned = tmp_path / "hidden", tmp_path / "tuned"
    assert main(["train", "fsdd_masked", *TWO_STEPS, *words, f"run.dir={hidden}"]) == 0
    assert main(["train", "fsdd", *TWO_STEPS, *words, f"init_from={hidden}", f"run.dir={tuned}"]) == 0


def test_each_task_is_in_an_experiment():
    used = {composed([f"experiment={name}"]).task._target_ for name in ONE_OF_EACH_TASK}
    assert used == {composed([f"task={name}"]).task._target_ for name in choices("task")}
