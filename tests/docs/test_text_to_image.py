"""The guide's two yaml files, in a folder outside the package, make pictures of names and of sounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from mmattn.build import build
from mmattn.cli.main import main
from mmattn.composition.compose import composed
from mmattn.contracts.sameness import same
from mmattn.data.prompts import known
from mmattn.data.source import Sample
from mmattn.data.synthetic_audio import SyntheticAudio
from tests.docs.pages import ROOT, write_files

FEW = [
    "data.most=1",
    "backbone.dim=16",
    "backbone.depth=3",
    "backbone.layers=[grid,cross,self]",
    "task.encoder.depth=1",
    "trainer.max_epochs=1",
    "loader.batch_size=4",
    "callbacks.pictures.steps=1",
]


@pytest.fixture(scope="module")
def my_conf(tmp_path_factory):
    folder = tmp_path_factory.mktemp("elsewhere")
    write_files(ROOT / "docs" / "text-to-image.md", folder)
    assert {path.suffix for path in folder.rglob("*") if path.is_file()} == {".yaml"}
    return folder / "my_conf"


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("sounds") / "clip.wav"
    sound = SyntheticAudio(8).samples("train")[3].value
    soundfile.write(path, sound.samples[0].numpy(), sound.rate)
    return path


def trained(experiment, my_conf, *words):
    run = my_conf.parent / experiment
    assert main(["train", experiment, "--config-dir", str(my_conf), *FEW, *words, f"run.dir={run}"]) == 0
    results = json.loads((run / "results.json").read_text())
    assert results["steps"] >= 2 and results["test"]["loss"] > 0
    return run


def drawn(run, *prompt):
    out = run / "out.png"
    assert main(["generate", str(run), *prompt, "--steps", "1", "--count", "2", "--out", str(out)]) == 0
    return np.asarray(Image.open(out))


def test_a_name_becomes_a_picture(my_conf, capsys):
    run = trained("name_to_digit", my_conf, "tokenizer.parts.text.least=1")
    assert drawn(run, "--prompt", "three").shape == (8, 18)
    assert main(["generate", str(run), "--prompt", "thre"]) == 1
    assert "training never showed 'thre'. Did you mean 'three'?" in capsys.readouterr().err


def test_a_sound_becomes_a_picture(my_conf, clip, capsys):
    run = trained("sound_to_digit", my_conf)
    assert drawn(run, "--prompt-file", str(clip)).shape == (8, 18)
    for words, said in [
        (
            ["--prompt", "three"],
            "--prompt is a text, and this run reads no texts (AudioTokenizer); `mmattn generate` takes",
        ),
        (["--prompt-file", str(clip.with_name("clap.wav"))], "there is no such file. Did you mean 'clip.wav'?"),
        (["--prompt-file", str(run / "results.json")], "results.json: is not a readable sound file"),
    ]:
        assert main(["generate", str(run), *words]) == 1
        assert said in capsys.readouterr().err


def test_a_name_and_a_sound_together_become_a_picture(my_conf, clip, capsys):
    run = trained("name_and_sound_to_digit", my_conf, "tokenizer.parts.both.parts.text.least=1")
    file = clip.with_name("three.json")
    file.write_text('{"text": "three", "sound": "clip.wav"}')
    assert drawn(run, "--prompt-file", str(file)).shape == (8, 18)
    assert main(["generate", str(run), "--prompt", "three"]) == 1
    assert '--prompt-file, a json file such as {"text": "…", "sound": "…"}' in capsys.readouterr().err
    file.write_text('{"text": "thre", "sound": "clip.wav"}')
    assert main(["generate", str(run), "--prompt-file", str(file)]) == 1
    assert "training never showed 'thre'. Did you mean 'three'?" in capsys.readouterr().err


def test_a_picture_is_the_context_of_a_picture(my_conf):
    """Of the same digit, and never the same picture."""
    words = ["experiment=digit_to_digit", "data.most=6", *FEW[1:]]
    built = build(composed(words, str(my_conf)))
    (pairs,) = [built.data.splits["train"]]
    assert not any(same(pair.value["image"], pair.value["seen"]) for pair in pairs)
    dataset = built.data.dataset("train")
    task, batch = built.task.eval(), dataset.batch([(0, index) for index in range(4)])
    assert torch.isfinite(task.evaluate(batch).loss) and batch["seen"]["patches"].shape == (4, 16, 4)
    (made,) = task.pictures([dataset.prepared[0]["seen"]], count=1, steps=1)
    assert made.shape == (8, 8)


@pytest.mark.parametrize(
    ("tokenizer", "words"),
    [
        ("words", []),
        ("bpe", ["tokenizer.parts.text.vocabulary_size=300"]),
        ("characters", ["task.encoder.position.grid=[64]"]),
        ("text", ["task.encoder.position.grid=[64]"]),
    ],
)
def test_texts_are_read_by_any_tokenizer_of_texts(tokenizer, words):
    """All captions fit the encoder's places."""
    few = ["data.train=80", "data.validation=4", "data.test=0", *FEW[1:]]
    chosen = [f"tokenizer@tokenizer.parts.text={tokenizer}", *words, *few]
    built = build(composed(["experiment=text_to_image", *chosen]))
    dataset = built.data.dataset("train")
    longest = sorted(range(80), key=lambda i: len(dataset.samples[i].value["text"]))[-4:]
    scores = built.task.evaluate(dataset.batch([(0, index) for index in longest]))
    scores.loss.backward()
    assert torch.isfinite(scores.loss) and built.task.source.embedding.weight.grad is not None
    known_text = dataset.samples[0].value["text"]
    assert torch.equal(known(built.task.source, Sample("x", known_text))["ids"], dataset.prepared[0]["text"]["ids"])


@pytest.mark.slow
def test_the_command_itself_reads_the_folder(my_conf, tmp_path):
    """A process of its own, from a folder that is not the package's."""
    words = [*FEW, "tokenizer.parts.text.least=1", f"run.dir={tmp_path / 'run'}"]
    command = [sys.executable, "-m", "mmattn", "train", "name_to_digit", "--config-dir", str(my_conf), *words]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    assert (tmp_path / "run" / "results.json").is_file()
