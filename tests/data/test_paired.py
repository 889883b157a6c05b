"""Samples of several sources put together by their class."""

from __future__ import annotations

import pytest

from mmattn.contracts.source import check_source
from mmattn.data.arrays import Arrays
from mmattn.data.digits import Digits
from mmattn.data.paired import Paired
from mmattn.data.source import SPLITS
from mmattn.data.synthetic_audio import SyntheticAudio
from mmattn.errors import ConfigError


def letters(count=6, **more):
    """Texts of the classes a, b, c in turn, each other than the rest."""
    named = [("abc"[i % 3] + str(i), "abc"[i % 3]) for i in range(count)]
    return Arrays(train=tuple(zip(*named, strict=True)), **more)


def numbers(count=10, classes="bcd"):
    return Arrays(train=(list(range(count)), [classes[i % len(classes)] for i in range(count)]))


def values(source, split="train"):
    return [sample.value for sample in source.samples(split)]


def test_both_sides_are_of_one_class_and_all_samples_come():
    source = Paired({"letter": letters(), "number": numbers(20)}, validation=0.5)
    assert source.classes == ("b", "c") and check_source(source) == []
    seen = set()
    for sample in [*source.samples("train"), *source.samples("validation")]:
        called = source.classes[sample.label]
        assert sample.value["letter"][0] == called == "bcd"[sample.value["number"] % 3]
        seen.add(sample.value["number"])
    assert seen == {i for i in range(20) if i % 3 < 2}
    assert [sample.label for sample in source.samples("train")][:4] == [0, 1, 0, 1]  # a part of them has all classes
    assert source.notes == tuple(
        f"{part}: classes left out that another part lacks: {left}."
        for part, left in (("letter", "a"), ("number", "d"))
    )


def test_no_sample_is_on_both_sides_of_a_split():
    source = Paired({"letter": letters(30), "number": numbers(300)}, validation=0.2)
    for part in ("letter", "number"):
        sides = [{value[part] for value in values(source, split)} for split in ("train", "validation")]
        assert sides[0] and sides[1] and not sides[0] & sides[1]
    assert source.samples("test") is None


def test_pairs_are_the_same_each_time_and_others_with_another_seed():
    one, again, other = (values(Paired({"x": letters(30), "y": letters(30)}, seed=seed)) for seed in (0, 0, 1))
    assert one == again != other
    assert any(value["x"] != value["y"] for value in one)


def test_a_class_is_a_text():
    names = {"image": {str(i): name for i, name in enumerate(["zero", "one", "two", "three", "four"])}}
    source = Paired({"image": Digits()}, renamed=names, class_as="text", most=3)
    assert source.classes[:6] == ("zero", "one", "two", "three", "four", "5")
    assert check_source(source) == [] and [len(source.samples(split)) for split in SPLITS] == [30, 30, 30]
    sample = source.samples("test")[13]
    assert set(sample.value) == {"image", "text"} and sample.value["text"] == source.classes[sample.label] == "three"


def test_sounds_and_pictures():
    parts = {"sound": SyntheticAudio(16, 8, 8), "image": Digits()}
    source = Paired(parts, renamed={"sound": {"ai": "0", "oe": "7"}}, most=4)
    assert source.classes == ("0", "7") and check_source(source) == []
    assert [len(source.samples(split)) for split in SPLITS] == [8, 8, 8]


def test_classes_may_become_one():
    source = Paired({"x": letters(9)}, renamed={"x": {"b": "a"}}, class_as="text")
    assert source.classes == ("a", "c") and check_source(source) == []


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: Paired({"x": letters()}), "a pair has two sides; name two sources, or one and data.class_as"),
        (lambda: Paired({}), "a pair has two sides"),
        (lambda: Paired({"x": letters(), "y": None}), "a pair has two sides"),
        (lambda: Paired({"x": letters()}, class_as="x"), "data.class_as=x is a source in data.parts, too"),
        (lambda: Paired({"x": letters(), "y": letters()}, most=0), "data.most=0 must be at least 1"),
        (lambda: Paired({"x": letters(), "y": numbers(classes="de")}), r"no class in common \(x has a, b, c.*y has d"),
        (lambda: Paired({"x": letters(), "y": Arrays((["a"], None))}), "data.parts.y: Arrays has no classes"),
        (lambda: Paired({"x": letters(), "y": letters()}, renamed={"z": {}}), "data.renamed.z: data.parts has no such"),
        (
            lambda: Paired({"sound": SyntheticAudio(8), "x": letters()}, renamed={"sound": {"aii": "a"}}),
            "data.renamed.sound names the class 'aii'; it has ai, ia.* Did you mean 'ai'",
        ),
        (
            lambda: Paired({"x": Arrays((["one"] * 4, [["a", "b"]] * 4)), "y": letters()}).samples("train"),
            "data.parts.x: its samples must have one class each",
        ),
        (
            lambda: Paired({"x": letters(3), "y": letters()}).samples("train"),
            "Class 'a' has only one sample, which cannot be in both parts of a split",
        ),
    ],
)
def test_what_does_not_fit_is_named(made, message):
    with pytest.raises(ConfigError, match=message):
        made()
