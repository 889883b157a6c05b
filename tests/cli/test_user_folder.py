"""A user's own folder and the words of a command line: what is found, offered and explained."""

from __future__ import annotations

import sys

import pytest

from mmattn.cli.launch import command
from mmattn.composition.compose import checked_sweep, choices, claim, composed
from mmattn.composition.user_folder import bring, digest
from mmattn.errors import ConfigError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in (
        "mine.py",
        "os.py",
        "not-a-name.py",
        "package/part.py",
        "package/deep/other.py",
        "json/x.py",
        "notes.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_a_folder_brings_its_modules_and_not_the_standard_librarys(folder):
    found, names = bring(str(folder))
    assert found == folder.resolve() and names == ["mine", "package"]
    bring(str(folder))
    assert sys.path.count(str(folder.resolve())) == 1


def test_a_home_folder_is_expanded_and_a_missing_one_named(folder, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    assert bring(f"~/{folder.name}") == bring(str(folder)) and bring(None) == (None, [])
    for missing in (folder / "none", folder / "mine.py"):
        with pytest.raises(ConfigError, match=f"--config-dir {missing}: there is no such folder"):
            bring(str(missing))


def test_a_users_files_are_among_the_choices(folder):
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer" / "mine.yaml").write_text("x: 1\n")
    assert set(choices("tokenizer", str(folder))) - set(choices("tokenizer")) == {"mine"}
    with pytest.raises(ConfigError, match=r"There is no tokenizer 'min'. Did you mean 'mine'\? Choices: .*mine"):
        composed(["tokenizer=min"], str(folder))


def test_a_folder_is_known_by_what_it_holds(folder, tmp_path_factory):
    first = digest(folder)
    moved = folder.rename(tmp_path_factory.mktemp("other") / "elsewhere")
    assert digest(moved) == first
    (moved / "more.yaml").write_text("x: 1\n")
    assert digest(moved) != first


def test_a_claim_is_the_comment_above_an_experiment(folder):
    (folder / "experiment").mkdir()
    long = "# " + "word " * 18 + "end\n# goes on.\n"
    lines = (
        "# @package _global_\n# Claim: one.\n"
        + long
        + f"#   mmattn train mine {'a=1 ' * 20}\n# Measured.\n\n# not this\nx: 1\n"
    )
    (folder / "experiment" / "mine.yaml").write_text(lines)
    assert claim("mine", [str(folder)]).splitlines() == [
        "Claim: one.",
        "word " * 18 + "end goes on.",
        f"mmattn train mine {'a=1 ' * 20}".strip(),
        "Measured.",
    ]
    assert claim("none", [str(folder)]) == "" and claim("image").startswith("Claim: ")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("backbone.dept=3", r"The config has no key 'backbone.dept'. Did you mean 'backbone.depth'\?"),
        ("patern=full", r"The config has no key 'patern'. Did you mean 'pattern'\?"),
        ("+lodger=1", r"The config has no key 'lodger'. Did you mean 'loader'\?"),
        ("head=classifer", r"There is no head 'classifer'. Did you mean 'classifier'\? Choices: .*tokens"),
    ],
)
def test_a_word_that_does_not_fit_is_explained(word, message):
    with pytest.raises(ConfigError, match=message) as caught:
        composed(["experiment=image", word])
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["experiment=image", "seed=1,2", "pattern=full,causa"], "Did you mean 'causal'"),
        (["experiment=image,txt"], "Did you mean 'text'"),
        (["experiment=image", "seed=1,2", "backbone.dept=1"], "Did you mean 'backbone.depth'"),
        (["experiment=image", "seed=choice(1,"], r"choice\(1,"),
    ],
)
def test_every_value_of_a_sweep_is_looked_at_before_it_begins(words, message):
    with pytest.raises(ConfigError, match=message):
        checked_sweep(words)
    checked_sweep(["experiment=image,text", "seed=range(0,3)", "backbone.depth=1,2"])


def test_a_command_can_be_pasted_into_a_shell():
    words = ["experiment=image", "run.dir=/tmp/x", "data.label='(?P<label>\\d)_.*'", "seed=1"]
    assert command(words) == "mmattn train image 'data.label='\"'\"'(?P<label>\\d)_.*'\"'\"'' seed=1"
    assert command(["seed=1"], ["/my conf"]) == "mmattn train seed=1 --config-dir '/my conf'"
