"""The contract notices each way in which a source can be wrong."""

from __future__ import annotations

import random

import pytest

from mmattn.contracts.source import check_source
from mmattn.data.source import Lazy, Sample, Source
from mmattn.errors import BadSample


class Given(Source):
    """Whatever the test gives it."""

    classes = None

    def __init__(self, classes=("a", "b"), **splits):
        self.classes, self.splits = classes, splits

    def samples(self, split):
        samples = self.splits.get(split)
        return samples() if callable(samples) else samples


def good(split="train", labels=(0, 1)):
    return [Sample(f"{split} {i}", f"text {i}", label) for i, label in enumerate(labels)]


def pairs():
    return [Sample(each.name, {"image": 3, "text": each.value}, each.label) for each in good()]


def unreadable(index):
    raise BadSample("x.png", "is corrupt")


def wrong_label(index):
    return Sample(f"sample {index}", "text", 0)


def test_a_good_source_has_no_faults():
    assert check_source(Given(train=good(), validation=good("validation"))) == []
    assert check_source(Given(classes=None, train=good(labels=[None] * 3))) == []
    assert check_source(Given(train=pairs())) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        (Given(), "nothing to train on"),
        (Given(train=good(), test=[]), "test is empty"),
        (Given(train=good(), test=good()), "has the name 'train 0' of train[0]: names are unique"),
        (Given(train=good()[:1] * 2), "names are unique"),
        (Given(train=good(labels=[0, 1, 2])), "label 2, outside the 2 classes"),
        (Given(train=good(labels=[0, 1, -1])), "label -1, outside"),
        (Given(train=good(labels=[0, 1, True])), "of type bool: labels are ints"),
        (Given(train=good(labels=[0, 1, None])), "no label although the source has classes"),
        (Given(train=good(labels=[0, [1, 5]])), "label 5, outside"),
        (Given(train=good(labels=[0, 0])), "Class 'b' has no training sample"),
        (Given(classes=("a", "a"), train=good()), "classes must differ"),
        (Given(classes=None, train=good()), "the source names no classes"),
        (Given(train=[*good(), Sample("", "text", 0)]), "errors need one"),
        (Given(train=[*good(), Sample("x", None, 0)]), "has no value"),
        (Given(train=[*good(), Sample("x", 3, 0)]), "different types: int, str"),
        (Given(train=[*pairs(), Sample("x", {"image": 1, "text": 2}, 0)]), "{image: int, text: int}, {image: int, te"),
        (
            Given(train=[*pairs(), Sample("x", {"image": 1}, 0)]),
            "different types: {image: int, text: str}, {image: int}",
        ),
        (Given(train=[*pairs(), Sample("x", {"image": 1, "text": None}, 0)]), "no value for its part 'text'"),
        (Given(train=[*good(), Sample("x", {}, 0)]), "has no value."),
        (Given(train=lambda: [*good(), Sample("x", str(random.random()), 0)]), "a source is deterministic"),
        (Given(train=Lazy(2, unreadable, [0, 1])), "cannot be read: x.png: is corrupt"),
        (Given(train=Lazy(2, wrong_label, [0, 1])), "train[1] has label 0, and its list 1"),
        (Given(train=Lazy(2, good().__getitem__, [0])), "1 labels for 2 samples"),
        (Given(train=Lazy(2, lambda i: good()[i], [0, 1])), "cannot be pickled"),
    ],
)
def test_each_fault_is_named(source, fault):
    assert any(fault in each for each in check_source(source)), check_source(source)


def test_only_some_samples_of_a_large_source_are_read():
    read = []
    samples = Lazy(10_000, lambda i: read.append(i) or Sample(f"{i}", "text"))
    check_source(Given(classes=None, train=samples), limit=50)
    assert len(set(read)) == 50 and {0, 9_999} <= set(read)
