"""Each bad input ends before the first step, in one message that names the sample or key and the fault."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from PIL import Image

from mmattn.cli.main import main
from tests.cli.small import SMALL

RATE = 8000
TEXT = ["data=text_table", "tokenizer=text", "position=rotary_1d"]
SOUND = ["audio", "data=audio_folder"]
IMAGE = ["image", "data=image_folder"]
PROTEIN = ["protein", "data=fasta", "data.files={train: {a: a.fasta, b: b.fasta}}"]


def images(folder):
    for label in "ab":
        (folder / label).mkdir()
        for i in range(4):
            Image.fromarray(np.full((8, 8), 40 * i, np.uint8)).save(folder / label / f"{i}.png")


def one_class(folder):
    (folder / "only").mkdir()
    for i in range(4):
        Image.fromarray(np.full((8, 8), 40 * i, np.uint8)).save(folder / "only" / f"{i}.png")


def sounds(folder, value=None):
    noise = np.random.default_rng(0)
    for label in "ab":
        (folder / label).mkdir()
        for i in range(4):
            soundfile.write(folder / label / f"{i}.wav", noise.normal(0, 0.1, RATE // 4), RATE, subtype="FLOAT")
    if value is not None:
        soundfile.write(folder / "a" / "0.wav", np.full(RATE // 4, value), RATE, subtype="FLOAT")


def proteins(folder, last="MKTAYIAK"):
    for label in "ab":
        lines = [f">{label}{i}\n{'MKTAY' + label.upper() * (i + 1)}" for i in range(4)]
        (folder / f"{label}.fasta").write_text(
            "\n".join(lines).replace("B", "L") + f"\n>last_{label}\n{last}{label.upper()}\n"
        )


def table(folder, rows, header="text,label", name="train.csv"):
    (folder / name).write_text("\n".join([header, *rows]) + "\n")


GOOD = [f"{word} number {i},{i % 2}" for i, word in enumerate("good bad fine poor nice vile".split())]


def corrupt_image(folder):
    images(folder)
    (folder / "a" / "0.png").write_bytes(b"\x89PNG and nothing more")


def corrupt_wav(folder):
    sounds(folder)
    (folder / "b" / "1.wav").write_bytes(b"RIFF and nothing more")


def unknown_label(folder):
    table(folder, GOOD)
    table(folder, ["text here,0", "and here,7"], name="validation.csv")


def two_sizes(folder):
    proteins(folder, "MKTAYIAKQRQISFVKSHFSRQ")


CASES = {
    "corrupt image": (corrupt_image, IMAGE, ["0.png", "readable image"]),
    "corrupt wav": (corrupt_wav, SOUND, ["1.wav"]),
    "NaN audio": (lambda folder: sounds(folder, np.nan), SOUND, ["0.wav", "not finite"]),
    "silent audio": (lambda folder: sounds(folder, 0.0), SOUND, ["0.wav", "silent", "allow_silence"]),
    "empty text": (lambda folder: table(folder, [*GOOD, '"",1']), TEXT, ["train.csv", "empty"]),
    "no residue": (lambda folder: proteins(folder, "MKJ"), PROTEIN, ["last_a", "'J' at position 3"]),
    "too long": (two_sizes, [*PROTEIN, "tokenizer.max_length=16"], ["last_a", "takes 16", "tokenizer.max_length"]),
    "no files": (lambda folder: None, IMAGE, ["data", "image"]),
    "no column": (lambda folder: table(folder, GOOD, "txt,label"), TEXT, ["text", "txt"]),
    "unknown label": (unknown_label, [*TEXT, "data.files.validation=validation.csv"], ["validation.csv", "7"]),
    "one class": (one_class, IMAGE, ["no class but 'only'", "Classification", "masked_modelling"]),
    "one sample": (lambda folder: table(folder, [*GOOD, "only one,2"]), TEXT, ["'2'", "only one sample"]),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_data_is_one_clear_message(case, tmp_path, capsys):
    make, words, expected = CASES[case]
    data = tmp_path / "data"
    data.mkdir()
    make(data)
    assert main(["train", *words, *SMALL, f"data.root={data}", f"run.dir={tmp_path / 'run'}"]) == 1
    shown = capsys.readouterr()
    assert shown.err.startswith("mmattn: ") and "Traceback" not in shown.err and len(shown.err) < 500
    assert all(word in shown.err for word in expected), shown.err
    assert "epoch 1" not in shown.out and not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "words, expected",
    [
        (["audio_tags", "data.most=13"], "data.most=13 must be between 1 and 12"),
        (["audio_tags", "data.most=0"], "data.most=0 must be between 1 and 12"),
        (["audio", "data.train=-5"], "data.train=-5 must be at least 1"),
        (["audio", "data.train=0"], "data.train=0 must be at least 1"),
        (["image", "data.validation=0"], "data.validation=0 and data.test=0.2 must both be above 0"),
        (["protein", "data.test=0.95"], "data.validation=0.1 and data.test=0.95"),
    ],
)
def test_sizes_that_cannot_be_are_named(words, expected, tmp_path, capsys):
    assert main(["train", *words, f"run.dir={tmp_path / 'run'}"]) == 1
    assert expected in capsys.readouterr().err


def test_a_bad_sample_is_skipped_counted_and_said_where_the_config_says_so(tmp_path, capsys):
    data = tmp_path / "data"
    data.mkdir()
    corrupt_image(data)
    words = ["loader.on_bad_sample=skip", f"data.root={data}", f"run.dir={tmp_path / 'run'}"]
    assert main(["train", *IMAGE, *SMALL, "tokenizer.mean=0.5", "tokenizer.std=0.5", *words]) == 0
    assert "skipped: " in capsys.readouterr().out
    assert '"skipped": 1' in (tmp_path / "run" / "results.json").read_text()
