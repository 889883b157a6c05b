"""`mmattn look`: what it writes, and what it refuses."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from mmattn.cli.main import main
from tests.tasks.pairs import contrastive, picture, sequence_to_sequence

PROMPT = "a red circle left of a blue square"
OTHER = "a red circle right of a blue square"


def look(run, *words: str) -> int:
    return main(["look", str(run), "--steps", "2", *words])


def test_words_are_shown_over_the_picture(drawing_run, tmp_path):
    assert look(drawing_run, "--prompt", PROMPT, "--out", str(tmp_path / "new")) == 0
    markup = (tmp_path / "new" / "look.html").read_text()
    assert not re.search(r"https?://|<script|<link", markup)
    headings = re.findall("<h2>(.*?)</h2>", markup)
    assert headings[0] == PROMPT and len(headings) == 1 + 2 * 9
    assert (
        "&lt;bos&gt;, step by step" in headings
        and "square, step by step" in headings
        and "circle, layer by layer" in headings
    )
    image = Image.open(tmp_path / "new" / "look.png")
    assert image.width == 8 + 10 * 168


def test_the_picture_is_the_one_that_generate_makes(drawing_run, tmp_path):
    assert look(drawing_run, "--prompt", PROMPT, "--seed", "3", "--out", str(tmp_path / "a.png")) == 0
    words = ["--prompt", PROMPT, "--seed", "3", "--steps", "2", "--out", str(tmp_path / "b.png")]
    assert main(["generate", str(drawing_run), *words]) == 0
    made = Image.open(tmp_path / "b.png").resize((160, 160), Image.Resampling.NEAREST)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png"))[44:204, 8:168], np.asarray(made))


def test_an_edit_shows_before_and_after_with_maps_and_without(drawing_run, tmp_path):
    out = tmp_path / "edit.html"
    assert look(drawing_run, "--prompt", PROMPT, "--edit", OTHER, "--weight", "circle=2", "--out", str(out)) == 0
    headings = re.findall("<h2>(.*?)</h2>", out.read_text())
    assert headings[:3] == [
        PROMPT,
        f"{OTHER}, circle=2 (maps of the first prompt injected)",
        f"{OTHER}, circle=2 (its own maps, the same noise)",
    ]
    assert out.with_suffix(".png").is_file()
    assert look(drawing_run, "--prompt", PROMPT, "--edit", OTHER, "--begin", "1", "--out", str(out)) == 0
    assert f"{OTHER} (the first 100% of the steps read the first prompt)" in re.findall(
        "<h2>(.*?)</h2>", out.read_text()
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--prompt", " "], "a picture of no prompt is unconditional"),
        (
            ["--prompt", "a rad circle"],
            "--prompt: training never showed 'rad' often enough to learn it. Did you mean 'red'?",
        ),
        (["--prompt", PROMPT, "--edit", "a rad circle"], "--edit: training never showed 'rad'"),
        (["--prompt", "red", "--edit", "blue square"], "no token in common and differ in length"),
        (["--prompt", PROMPT, "--weight", "circel=2"], "no word 'circel'; it has <bos>, a, red, circle,"),
        (["--prompt", PROMPT, "--weight", "circle"], "write it as WORD=FACTOR"),
        (["--prompt", PROMPT, "--weight", "circle=nan"], "write it as WORD=FACTOR"),
        (["--prompt", PROMPT, "--guidance", "-1"], "guidance=-1.0 must be a number at least 0"),
        (["--prompt", PROMPT, "--steps", "0"], "steps=0 must be a whole number, at least 1"),
        (["--prompt", PROMPT, "--edit", OTHER, "--share", "2"], "share=2.0 of the steps must lie between 0 and 1"),
        (
            ["--prompt", PROMPT, "--edit", OTHER, "--begin", "2"],
            "--begin=2.0 must be a number at least 0 and at most 1",
        ),
        (["--prompt", PROMPT, "--begin", "0.5"], "--begin says how long --edit reads the first prompt"),
        (["--prompt", PROMPT, "--limit", "1e-6"], "2 × 64 × 9 weights, 4.3e-06 GiB.*choose fewer heads, layers, steps"),
        (["--prompt", PROMPT, "--edit", OTHER, "--limit", "1e-5"], "Queries of all layers.*GiB"),
        (["--prompt", PROMPT, "--layers", "backbone.blocks.2.*"], "backbone.blocks.2.mixer read no prompt"),
        (["--prompt", PROMPT, "--layers", "x"], "layers='x' is no attention layer"),
        (["--prompt", PROMPT, "--out", "look.jpg"], "a page and a PNG are written"),
    ],
)
def test_what_cannot_be_seen_is_said(drawing_run, words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert look(drawing_run, *words) == 1
    assert re.search(said.replace("(", r"\("), capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_a_run_that_draws_nothing_shows_which_token_reads_which(image_run, drawing_run, tmp_path, capsys):
    picture = tmp_path / "digit.png"
    Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)).save(picture)
    out = tmp_path / "look.html"
    assert main(["look", str(image_run), str(picture), "--out", str(out)]) == 0
    assert "<h2>blocks.0.mixer</h2>" in out.read_text() and out.with_suffix(".png").is_file()
    for run, words, said in [
        (image_run, [], "Give a file, or a text by --prompt"),
        (image_run, [str(picture), "--edit", "a"], "--edit: for runs that draw prompts"),
        (image_run, [str(picture), "--seed", "0", "--steps", "9"], "--steps, --seed: for runs that draw prompts"),
        (drawing_run, ["--prompt", "a red circle", "--share", "1"], "--share says in how many steps --edit takes"),
        (image_run, ["no.png"], "no.png: there is no such file"),
        (drawing_run, [str(picture)], "This run draws prompts: give --prompt, and neither a file nor --heads"),
    ]:
        assert main(["look", str(run), *words, "--out", str(out)]) == 1
        assert said in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--prompt", "red over blue"], ["no.png"], ["{picture}"]])
def test_two_towers_are_refused_before_anything_is_read(words, tmp_path, capsys, monkeypatch):
    picture("red", "blue").save(tmp_path / "a.png")
    monkeypatch.setattr("mmattn.cli.use.load_task", lambda *_: contrastive())
    words = [word.format(picture=tmp_path / "a.png") for word in words]
    assert main(["look", "RUN", *words, "--out", str(tmp_path / "look.html")]) == 1
    assert "This run reads several kinds of data and draws no picture in steps" in capsys.readouterr().err


def decoding(target, context, monkeypatch):
    """`mmattn look RUN` looks at a small task; gives the prompts that a run's data would be asked about."""
    told = []
    task = sequence_to_sequence(target, context).eval()
    task.longest.fill_(5)
    monkeypatch.setattr("mmattn.cli.use.load_task", lambda *_: task)
    monkeypatch.setattr("mmattn.cli.unusual.tell_unusual", lambda folder, prompts: told.extend(prompts))
    return told


def test_words_are_shown_over_pictures_that_are_decoded_or_described(tmp_path, monkeypatch):
    out = tmp_path / "look.html"
    told = decoding("image", "text", monkeypatch)
    assert main(["look", "RUN", "--prompt", "red over blue", "--seed", "1", "--out", str(out)]) == 0
    assert "<h2>red over blue</h2>" in out.read_text() and ">over<" in out.read_text()
    assert told == ["red over blue", None]
    decoding("text", "image", monkeypatch)
    picture("red", "blue").save(tmp_path / "a.png")
    assert main(["look", "RUN", str(tmp_path / "a.png"), "--out", str(out)]) == 0
    assert f"<h2>{tmp_path / 'a.png'}: " in out.read_text() and out.with_suffix(".png").is_file()


@pytest.mark.parametrize(
    ("target", "context", "words", "said"),
    [
        ("text", "image", ["--prompt", "a"], "This run says what a picture shows: give its file, and no --prompt"),
        ("text", "image", ["no.png"], "no.png: there is no such file"),
        ("text", "image", ["no.png", "--seed", "1"], "--seed: for runs that make pictures"),
        ("image", "text", ["a.png"], "This run draws prompts: give --prompt, and no file"),
        ("image", "text", ["--prompt", "red", "--edit", "blue"], "--edit: not for runs that make one token after"),
        ("image", "text", ["--prompt", "red", "--guidance", "2"], "guidance=2.0 is for runs trained with"),
        ("image", "text", ["--prompt", "rod"], "training never showed 'rod'"),
        ("image", "text", ["--prompt", "red", "--layers", "backbone.blocks.0.*"], "read no prompt"),
    ],
)
def test_what_cannot_be_seen_of_a_decoding_is_said(target, context, words, said, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    decoding(target, context, monkeypatch)
    assert main(["look", "RUN", *words]) == 1
    assert said in capsys.readouterr().err
