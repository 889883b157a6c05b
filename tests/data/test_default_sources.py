"""The sources that need no files: what they hold, and that their splits share nothing."""

from __future__ import annotations

import itertools
import sys
import time

import numpy
import pytest

from mmattn.contracts.sameness import same
from mmattn.data.digits import Digits
from mmattn.data.peptides import Peptides
from mmattn.data.python_docs import PythonDocs, connected, distinct, paragraphs
from mmattn.data.python_topics import PythonTopics, read_library
from mmattn.data.source import SPLITS
from mmattn.data.synthetic_audio import SyntheticAudio
from mmattn.errors import ConfigError


def values(source):
    return {split: [sample.value for sample in source.samples(split)] for split in SPLITS}


def test_digits_are_eight_bit_images_of_every_class_in_every_split():
    source = Digits()
    assert sum(len(source.samples(split)) for split in SPLITS) == 1797
    for split in SPLITS:
        samples = source.samples(split)
        assert {sample.label for sample in samples} == set(range(10))
        assert all(sample.value.mode == "L" and sample.value.size == (8, 8) for sample in samples)
    pixels = numpy.stack([numpy.asarray(sample.value) for sample in source.samples("train")])
    assert pixels.min() == 0 and pixels.max() == 255


def test_peptides_are_distinct_and_count_what_was_removed():
    source = Peptides()
    parts = values(source)
    everything = [value for part in parts.values() for value in part]
    assert len(everything) == len(set(everything)) == 5200 - source.duplicates_removed
    assert str(source.duplicates_removed) in source.notes[0] and "22 listed in both classes" in source.notes[0]


def test_python_docs_share_no_paragraph_between_splits():
    parts = {split: set().union(*map(paragraphs, texts)) for split, texts in values(PythonDocs()).items()}
    for first, second in itertools.combinations(SPLITS, 2):
        assert not parts[first] & parts[second]


def test_python_docs_are_cut_by_characters_and_name_what_is_left_out():
    source = PythonDocs(validation=0.1, test=0.1)
    sizes = {split: sum(map(len, texts)) for split, texts in values(source).items()}
    total = sum(sizes.values())
    assert total > 300_000
    assert 0.05 < sizes["validation"] / total <= 0.1 and 0.05 < sizes["test"] / total <= 0.1
    assert "topics left out" in source.notes[0] and "while" in source.notes[0]


def test_texts_that_stand_in_longer_ones_are_found():
    texts = {
        "long": {"a" * 40, "b" * 50, "c" * 60},
        "inside": {"a" * 40},
        "half": {"b" * 50, "d" * 60},
        "mostly inside": {"b" * 50, "e" * 45},
    }
    assert distinct(texts) == ["long", "half"]
    assert connected({"x": {"1"}, "y": {"1", "2"}, "z": {"2"}, "alone": {"3"}}) == [["alone"], ["x", "y", "z"]]


def test_python_topics_repeat_no_text():
    parts = values(PythonTopics())
    everything = [value for part in parts.values() for value in part]
    assert len(everything) > 3_000
    assert len(everything) == len(set(everything))
    assert all(len(text.split()) >= 5 for text in everything)


def mean_log_spectrum(waveform, parts):
    """Log-spectrum averaged over each of some parts of the clip, level evened out: (parts · 129,)."""
    samples = waveform.samples[0].numpy()
    frames = numpy.lib.stride_tricks.sliding_window_view(samples / abs(samples).max(), 256)[::160] * numpy.hanning(256)
    spectrum = numpy.log(numpy.abs(numpy.fft.rfft(frames)) ** 2 + 1e-3)
    return numpy.concatenate([part.mean(0) for part in numpy.array_split(spectrum, parts)])


def ridge_accuracy(train, train_labels, test, test_labels):
    """Test accuracy of one-against-all ridge regression on standardised features."""
    middle, scale = train.mean(0), train.std(0)
    train, test = (train - middle) / scale, (test - middle) / scale
    targets = numpy.eye(8)[train_labels] - 1 / 8
    weights = numpy.linalg.solve(train.T @ train + 100 * numpy.eye(train.shape[1]), train.T @ targets)
    return numpy.mean((test @ weights).argmax(1) == test_labels)


def test_synthetic_audio_is_about_order_in_time():
    source = SyntheticAudio(train=240, test=120)
    clips = {split: list(source.samples(split)) for split in ("train", "test")}
    scores = {}
    for parts in (1, 2):
        features = {s: numpy.stack([mean_log_spectrum(clip.value, parts) for clip in clips[s]]) for s in clips}
        labels = {s: numpy.array([clip.label for clip in clips[s]]) for s in clips}
        scores[parts] = ridge_accuracy(features["train"], labels["train"], features["test"], labels["test"])
    assert scores[1] < 0.6 < 0.9 < scores[2]


def test_synthetic_audio_varies_in_length_and_level_and_is_quick():
    source = SyntheticAudio()
    assert [len(source.samples(split)) for split in SPLITS] == [2000, 300, 500]
    start = time.process_time()
    clips = [sample.value for sample in source.samples("train")[:100]]
    assert (time.process_time() - start) / len(clips) < 0.005
    lengths = [clip.samples.shape[1] / clip.rate for clip in clips]
    peaks = [float(clip.samples.abs().max()) for clip in clips]
    assert min(lengths) >= 0.4 and max(lengths) <= 1.2 and max(lengths) - min(lengths) > 0.6
    assert min(peaks) >= 0.1 and max(peaks) <= 1.0 and max(peaks) - min(peaks) > 0.6


@pytest.mark.parametrize("make", [Digits, Peptides, SyntheticAudio, PythonDocs])
def test_the_seed_changes_the_split_or_the_sounds(make):
    first, second = (make(seed=seed).samples("validation") for seed in (0, 1))
    assert not all(same(a.value, b.value) for a, b in zip(first[:50], second[:50], strict=False))


def test_a_python_without_its_library_says_so(monkeypatch, tmp_path):
    read_library.cache_clear()
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(ConfigError, match=r"data=python_topics reads .* holds none.*data=text_table"):
        PythonTopics().samples("train")


def test_a_missing_modlamp_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "modlamp.datasets", None)
    with pytest.raises(ConfigError, match="data=peptides needs the package modlamp: pip install modlamp"):
        Peptides().samples("train")
