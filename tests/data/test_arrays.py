"""Data in memory, as a notebook has it."""

from __future__ import annotations

import numpy
import pytest
import torch

from mmattn.contracts.source import check_source
from mmattn.data.arrays import Arrays
from mmattn.errors import ConfigError


def test_texts_with_named_labels():
    source = Arrays((["x", "y", "z"], ["spam", "ham", "spam"]), test=(["w"], ["ham"]))
    assert source.classes == ("ham", "spam") and source.samples("validation") is None
    assert [sample.label for sample in source.samples("train")] == [1, 0, 1]
    assert check_source(source) == []


@pytest.mark.parametrize("labels", [[0, 2, 1], numpy.array([0, 2, 1]), torch.tensor([0, 2, 1])])
def test_rows_of_an_array_with_numbers(labels):
    source = Arrays((numpy.eye(3, dtype="float32"), labels))
    assert source.classes == ("0", "1", "2")
    assert [sample.label for sample in source.samples("train")] == [0, 2, 1]
    assert check_source(source) == []


def test_several_labels_a_sample_and_none():
    source = Arrays((["x", "y"], [["a", "b"], ["b"]]))
    assert [sample.label for sample in source.samples("train")] == [[0, 1], [1]] and check_source(source) == []
    assert Arrays((["x"], None)).classes is None and check_source(Arrays((["x"], None))) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"train": (["x", "y"], [0])}, "train has 2 values and 1 labels: give one label a value"),
        ({"train": ([], [])}, "train has no values: give some"),
        ({"train": (["x", "y"], ["a", 0])}, r"names \('a'\) and numbers \(0\): use one kind"),
        ({"train": (["x"], ["spam"]), "test": (["y"], ["spm"])}, r"test\[0\]: the label 'spm'.*Did you mean 'spam'\?"),
        ({"train": (["x"], [0]), "test": (["y"], [1])}, r"test\[0\]: the label '1' is not among"),
        ({"train": (["x"], [2]), "classes": ["a", "b"]}, r"train\[0\]: the label '2'"),
        ({"train": (["x"], [0.5])}, r"train\[0\] has the label 0\.5: labels are class names or whole numbers"),
    ],
)
def test_what_cannot_be_used_is_named(arguments, message):
    with pytest.raises(ConfigError, match=message):
        Arrays(**arguments)
