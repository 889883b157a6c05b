"""Default sources with several labels a sample, or a label for each character."""

from __future__ import annotations

import numpy
import pytest

from mmattn.data.python_code import KINDS, PythonCode, functions, kinds
from mmattn.data.synthetic_chords import RATE, SyntheticChords, chord


def spelled(text):
    return "".join("." if kind is None else KINDS[kind][0] for kind in kinds(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("for format in 12:\n", "kkk.nnnnnn.kk.nno."),
        ("x = 'for' # for\n", "n.o.sssss.ccccc."),
        ('"""a\nb"""\n', "sssssssss."),
        ("é = None\n", "n.o.kkkk."),
        ("x = '\x0c'\ny = 1\n", "n.o.sss.n.o.n."),
    ],
)
def test_characters_have_the_kind_of_their_word(text, expected):
    assert spelled(text) == expected


def test_functions_are_found_with_their_lines_and_dedented():
    source = "import re\n\nclass A:\n    def f(self):\n        return 1\n\n    x = 2\n\ndef g():\n    pass\n"
    assert list(functions(source)) == [(4, "def f(self):\n    return 1\n"), (9, "def g():\n    pass\n")]


def test_modules_are_split_and_functions_are_distinct():
    source = PythonCode(longest=120)
    splits = {split: source.samples(split) for split in ("train", "validation", "test")}
    modules = [{sample.name.split(":")[0] for sample in samples} for samples in splits.values()]
    assert not (modules[0] & modules[1] or modules[0] & modules[2] or modules[1] & modules[2])
    texts = [sample.value for samples in splits.values() for sample in samples]
    assert len(set(texts)) == len(texts) > 100 and all(100 <= len(text) <= 120 for text in texts)


def strength(clip, hertz):
    """The amplitude of a frequency in a clip."""
    time = numpy.arange(len(clip)) / RATE
    return abs(numpy.exp(-2j * numpy.pi * hertz * time) @ clip) / len(clip)


def test_a_chord_holds_its_notes_and_no_others():
    clips = [chord([0, 4], numpy.random.default_rng(seed)) for seed in range(20)]  # A and C sharp
    around = [2 ** (step / 1200) for step in range(-25, 26, 5)]

    def heard(semitones):
        return numpy.mean([max(strength(c, 220 * 2 ** (semitones / 12) * a) for a in around) for c in clips])

    assert min(heard(0), heard(4)) > 2 * max(heard(2), heard(6))


def test_chords_are_labelled_without_being_made():
    samples = SyntheticChords(train=50, most=3).samples("train")
    assert [sample.label for sample in samples[:5]] == samples.labels[:5]
    assert {len(label) for label in samples.labels} == {1, 2, 3}
    assert all(label == sorted(set(label)) for label in samples.labels)
