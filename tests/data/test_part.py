"""Some of another source's samples."""

from __future__ import annotations

import pytest
from hydra.utils import instantiate

from mmattn.cli.compose import composed
from mmattn.contracts.source import check_source
from mmattn.data.arrays import Arrays
from mmattn.data.digits import Digits
from mmattn.data.part import Part
from mmattn.data.scenes import Scenes
from mmattn.data.synthetic_audio import SyntheticAudio
from mmattn.errors import ConfigError


def numbers(count=20):
    return Arrays(train=(list(range(count)), ["ab"[i % 2] for i in range(count)]), test=([1, 2], ["a", "b"]))


def values(source, split="train"):
    return [sample.value for sample in source.samples(split)]


def test_so_many_samples_are_drawn_in_their_order():
    part = Part(numbers(), train=7)
    drawn = part.samples("train")
    assert len(drawn) == 7 and values(part) == sorted(set(values(part))) != list(range(7))
    assert [sample.label for sample in drawn] == [sample.value % 2 for sample in drawn] == list(drawn.labels)
    assert part.classes == ("a", "b") and len(part.samples("test")) == 2 and part.samples("validation") is None


def test_it_is_a_source_like_the_whole():
    assert check_source(Part(Digits(), train=50, test=20)) == []


def test_the_draw_is_the_same_each_time_and_another_with_another_seed():
    one, again, other = (values(Part(numbers(), train=9, seed=seed)) for seed in (0, 0, 1))
    assert one == again != other


def test_what_the_source_says_of_its_samples_is_said():
    scenes, part = Scenes(train=10), Part(Scenes(train=10), train=5)
    assert part.prompts == scenes.prompts and part.notes == scenes.notes
    assert part.unusual("a green elephant") == scenes.unusual("a green elephant") != ""


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"train": 0}, "data.train=0 must be"),
        ({"train": 1.5}, "data.train=1.5 must be"),
        ({"train": 21}, "data.train=21 is more than the 20 samples that the source has"),
        ({"validation": 5}, "data.validation=5: the source has no such split; loader.validation_fraction"),
    ],
)
def test_sizes_that_do_not_fit_are_named(sizes, message):
    with pytest.raises(ConfigError, match=message):
        part = Part(numbers(), **sizes)
        [part.samples(split) for split in ("train", "validation")]


def test_a_config_names_the_source():
    words = [
        "experiment=image",
        "data=part",
        "data@data.source=synthetic_audio",
        "data.source.train=40",
        "data.train=9",
    ]
    source = instantiate(composed(words).data)
    assert isinstance(source.source, SyntheticAudio) and len(source.samples("train")) == 9
