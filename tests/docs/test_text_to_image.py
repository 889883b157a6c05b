"""The guide's two yaml files, in a folder outside the package, make pictures of names and of sounds."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from PIL import Image

from mmattn.cli.main import main
from mmattn.data.synthetic_audio import SyntheticAudio
from tests.docs.pages import ROOT, write_files

FEW = [
    "data.most=1",
    "backbone.dim=16",
    "backbone.depth=3",
    "task.encoder.depth=1",
    "trainer.max_epochs=1",
    "loader.batch_size=4",
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
        (["--prompt", "three"], "this run reads no texts (AudioTokenizer): name a file, --prompt-file"),
        (["--prompt-file", str(clip.with_name("clap.wav"))], "there is no such file. Did you mean 'clip.wav'?"),
        (["--prompt-file", str(run / "results.json")], "results.json: is not a readable sound file"),
    ]:
        assert main(["generate", str(run), *words]) == 1
        assert said in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_itself_reads_the_folder(my_conf, tmp_path):
    """A process of its own, from a folder that is not the package's."""
    words = [*FEW, "tokenizer.parts.text.least=1", f"run.dir={tmp_path / 'run'}"]
    command = [sys.executable, "-m", "mmattn", "train", "name_to_digit", "--config-dir", str(my_conf), *words]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    assert (tmp_path / "run" / "results.json").is_file()
