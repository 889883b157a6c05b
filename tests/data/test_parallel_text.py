"""Two files whose lines belong together, and each mistake a user can make with them."""

from __future__ import annotations

import pytest

from mmattn.contracts.source import check_source
from mmattn.data.datamodule import DataModule
from mmattn.data.parallel_text import ParallelText
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizers.characters import CharacterTokenizer
from mmattn.tokenizers.several import SeveralTokenizer

GERMAN = "Guten Morgen\nder Hund\ndie Katze\n"
ENGLISH = "good morning\nthe dog\nthe cat\n"


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "train.de", GERMAN)
    write(tmp_path, "train.en", ENGLISH)
    return tmp_path


def write(folder, name, content):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def pairs(source, split="train"):
    return [(each.value["source"], each.value["target"]) for each in source.samples(split)]


EXPECTED = [("Guten Morgen", "good morning"), ("der Hund", "the dog"), ("die Katze", "the cat")]


def test_lines_belong_together(folder):
    source = ParallelText(folder, ["de", "en"])
    assert pairs(source) == EXPECTED and check_source(source) == []
    assert source.samples("validation") is None and source.samples("test") is None
    assert source.samples("train")[1].name == f"{folder}/train.de, line 2"
    assert pairs(ParallelText(folder, ("en", "de"))) == [(b, a) for a, b in EXPECTED]


@pytest.mark.parametrize("validation", ["validation", "valid", "val", "dev"])
def test_splits_are_found(folder, validation):
    for stem in (validation, "test"):
        write(folder, f"{stem}.de", f"{stem} eins\n")
        write(folder, f"{stem}.en", f"{stem} one\n")
    source = ParallelText(folder, ["de", "en"])
    assert pairs(source, "validation") == [(f"{validation} eins", f"{validation} one")]
    assert pairs(source, "test") == [("test eins", "test one")] and check_source(source) == []


def test_files_of_other_names_are_named(folder):
    for end, text in (("de", "ja\n"), ("en", "yes\n")):
        write(folder, f"news.de-en.{end}", text)
    source = ParallelText(folder, ["de", "en"], {"train": "news.de-en", "test": "train", "validation": None})
    assert pairs(source) == [("ja", "yes")] and pairs(source, "test") == EXPECTED
    assert source.samples("validation") is None


def test_lines_end_as_they_do_on_any_system(tmp_path):
    """Other separators of lines stand in texts; a mark of UTF-8 in front and the last line end are no text."""
    write(tmp_path, "train.de", b"\xef\xbb\xbfeins\r\n" + " zwei\u2028drei \r\n".encode())
    write(tmp_path, "train.en", "one\ntwo\x85three")
    assert pairs(ParallelText(tmp_path, ["de", "en"])) == [("eins", "one"), ("zwei\u2028drei", "two\x85three")]


@pytest.mark.parametrize(
    ("german", "english", "name", "fault"),
    [
        ("eins\n\ndrei\n", "one\ntwo\nthree\n", "train.de", "is empty, and that of {0}/train.en is not; fill it"),
        ("eins\nzwei\ndrei\n", "one\n \nthree\n", "train.en", "is empty, and that of {0}/train.de is not; fill it"),
        ("eins\n\ndrei\n", "one\n\t\r\nthree\n", "train.de", "is empty, and so is that of {0}/train.en; remove both"),
        ("eins\nzwei\ndrei\n", b"one\ntw\xf6\nthree\n", "train.en", "is not UTF-8 ('utf-8' codec can't decode byte"),
        (b"eins\nzw\xff\ndrei\n", "one\n\nthree\n", "train.de", "is not UTF-8 ('utf-8' codec can't decode byte"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_may_be_skipped(tmp_path, german, english, name, fault):
    for split in ("train", "dev"):
        write(tmp_path, f"{split}.de", german)
        write(tmp_path, f"{split}.en", english)
    source = ParallelText(tmp_path, ["de", "en"])
    with pytest.raises(BadSample) as error:
        pairs(source)
    message = f"{tmp_path}/{name}, line 2: {fault.format(tmp_path)}"
    assert str(error.value).startswith(message)
    tokenizer = SeveralTokenizer(8, {"source": CharacterTokenizer(8), "target": CharacterTokenizer(8)})
    data = DataModule(source, tokenizer, on_bad_sample="skip")
    data.fit_tokenizer()
    dataset = data.dataset("train")
    used = [tokenizer.part("target").restore(dataset.prepared[item.sample]["target"]["ids"]) for item in dataset.items]
    assert used == ["one", "three"] and len(dataset.skipped) == 1 and dataset.skipped[0].startswith(message)


def test_files_of_unlike_length_say_both_counts(folder):
    write(folder, "train.en", f"{ENGLISH}the cow\n")
    with pytest.raises(ConfigError, match=r"train\.de has 3 lines and .*train\.en 4: line i of one belongs to line i"):
        ParallelText(folder, ["de", "en"])
    for end in ("de", "en"):
        write(folder, f"train.{end}", "")
    with pytest.raises(ConfigError, match=r"train\.de and .*train\.en are empty: fill them"):
        ParallelText(folder, ["de", "en"])


def test_what_is_not_there_is_named(folder):
    with pytest.raises(ConfigError, match=r"data\.languages names .*train\.eng, and there .*Did you mean 'train\.en'"):
        ParallelText(folder, ["de", "eng"])
    with pytest.raises(ConfigError, match=r"data\.files names .*trian\.de, and there is no .*Did you mean 'train\.de'"):
        ParallelText(folder, ["de", "en"], {"train": "trian"})
    write(folder, "test.de", "eins\n")
    with pytest.raises(ConfigError, match=r"data\.languages names .*test\.en, and there is no such file"):
        ParallelText(folder, ["de", "en"])
    with pytest.raises(ConfigError, match=r"no such folder .*should hold train\.de and train\.en"):
        ParallelText(folder / "none", ["de", "en"])
    (folder / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"names .*empty/train\.de, and there is no such file"):
        ParallelText(folder / "empty", ["de", "en"])


def test_what_is_there_twice_is_named(folder):
    with pytest.raises(ConfigError, match=r"data\.languages=\[de,de\] must be two, of the source and the target"):
        ParallelText(folder, ["de", "de"])
    (folder / "train.fr").symlink_to(folder / "train.de")
    with pytest.raises(ConfigError, match=r"train\.de and .*train\.fr are one file: each side"):
        ParallelText(folder, ["de", "fr"])
    with pytest.raises(ConfigError, match=r"train\.de and .*train\.de are one file: each side of each split"):
        ParallelText(folder, ["de", "en"], {"train": "train", "test": "train"})
    for stem in ("dev", "valid"):
        write(folder, f"{stem}.de", "eins\n")
    with pytest.raises(ConfigError, match=r"holds 'valid' and 'dev', both for validation: keep one"):
        ParallelText(folder, ["de", "en"])


@pytest.mark.parametrize("languages", ["de", ["de"], ["de", "en", "fr"], ["de", False]])
def test_there_are_two_sides(folder, languages):
    with pytest.raises(ConfigError, match=r"data\.languages=\[.*\] must be two, of the source and the target: \[de,en"):
        ParallelText(folder, languages)
