"""The small rules of data folders: order of classes, splits, patterns, and hints."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmattn.data.files import by_split, expression, find, in_order, left_out, split_folders, unknown_label
from mmattn.errors import ConfigError


@pytest.mark.parametrize(
    ("labels", "ordered"),
    [
        (["10", "9", "2", "10"], ("2", "9", "10")),
        (["1", "-3", "0"], ("-3", "0", "1")),
        (["10", "9", "b"], ("10", "9", "b")),
        (["1.5", "10"], ("1.5", "10")),
        (["2", "--1", "10"], ("--1", "10", "2")),
        (["01", "1", "2"], ("01", "1", "2")),
        (["zebra", "Ähre", "ant"], ("ant", "zebra", "Ähre")),
        ([], ()),
    ],
)
def test_classes_are_in_order_of_number_or_alphabet(labels, ordered):
    assert in_order(labels) == ordered


@given(st.lists(st.integers(-50, 50).map(str) | st.text("-1b", max_size=3), max_size=9))
def test_their_order_does_not_depend_on_that_of_the_samples(labels):
    assert in_order(labels[::-1]) == in_order(labels) and set(in_order(labels)) == set(labels)


def test_splits_without_a_file_are_left_out():
    assert by_split({"train": "a", "validation": None, "test": "c"}) == {"train": "a", "test": "c"}


def test_a_pattern_needs_its_group():
    assert expression("label", r"(?P<label>\d)_", "label").search("x7_")["label"] == "7"
    assert expression("test", "^5").match("50") and isinstance(expression("test", "x"), re.Pattern)
    with pytest.raises(ConfigError, match=r"data.label='\(' is not a regular expression .*: correct it"):
        expression("label", "(", "label")


def touch(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_files_are_found_by_suffix_in_order_of_their_paths(tmp_path):
    touch(tmp_path, "b/2.PNG", "a/10.png", "a/9.jpg", ".hidden/1.png", "a/.2.png", "a/notes.txt", "LICENSE", "b/x.TXT")
    found, others = find(tmp_path, (".png", ".jpg"), "image")
    assert [str(path.relative_to(tmp_path)) for path in found] == ["a/10.png", "a/9.jpg", "b/2.PNG"]
    assert others == {".txt": 2, "LICENSE": 1}
    assert left_out(others, "images") == ("3 files left out that are not images: 2 × .txt, 1 × LICENSE.",)
    assert left_out(Counter(), "images") == ()


def test_a_folder_without_such_a_file_says_what_it_holds(tmp_path):
    touch(tmp_path, "a.gif", "b.gif")
    with pytest.raises(ConfigError, match=r"holds no image file \(it holds '.gif'\): put .jpg, .png files there"):
        find(tmp_path, (".png", ".jpg"), "image")


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["cat", "dog"], {"train": ""}),
        (["train", "dev", "testing"], {"train": "train", "validation": "dev", "test": "testing"}),
        (["train", "cat"], {"train": ""}),
        ([".git", "training"], {"train": "training"}),
    ],
)
def test_folders_are_splits_or_classes(tmp_path, names, splits):
    for name in names:
        (tmp_path / name).mkdir()
    assert split_folders(tmp_path) == {split: tmp_path / name for split, name in splits.items()}


def test_an_unknown_label_lists_a_few_classes_and_the_nearest():
    message = str(unknown_label("class-41", "row 7", [f"class{i}" for i in range(50)]))
    assert message.startswith("row 7: the label 'class-41' is not among the classes of the training data ('class0', ")
    assert "'class11' and 38 more): correct it, or add" in message and message.endswith("Did you mean 'class41'?")
