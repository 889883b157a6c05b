"""Some of another source's samples."""

from __future__ import annotations

import pytest
from hydra.utils import instantiate

from mmattn.composition.compose import composed
from mmattn.contracts.source import check_source
from mmattn.data.arrays import Arrays
from mmattn.data.digits import Digits
from mmattn.data.part import Part, called, whole_of
from mmattn.data.scenes import Scenes
from mmattn.data.source import Source
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


@pytest.mark.parametrize("size", [4, 10, 37])
def test_a_part_has_the_classes_in_proportion(size):
    labels = ["c"] * 10 + ["a"] * 60 + ["b"] * 30
    drawn = Part(Arrays(train=(list(range(100)), labels)), train=size).samples("train")
    counts = [sum(sample.label == label for sample in drawn) for label in range(3)]
    shares = [labels.count(name) / 100 for name in "abc"]
    assert len(drawn) == size and all(abs(n - size * share) < 1 for n, share in zip(counts, shares, strict=True))


def test_samples_without_a_class_are_drawn_too():
    assert len(Part(Scenes(train=30), train=7).samples("train")) == 7


def test_a_part_forwards_all_that_a_source_says():
    own = {name for name in vars(Source) if not name.startswith("_")}
    assert own == {name for name in vars(Part) if not name.startswith("_")}


def test_the_whole_of_a_part_is_found_made_or_not():
    scenes = Scenes(train=30)
    config = {"_target_": "mmattn.data.part.Part", "source": {"_target_": "mmattn.data.scenes.Scenes"}}
    assert whole_of(Part(Part(scenes))) is scenes is whole_of(scenes)
    assert whole_of(config) == config["source"] == whole_of(config["source"])
    assert called(scenes) == "Scenes" and called(Part(Part(scenes))) == "Scenes, a part"


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"train": 0}, "data.train=0 must be"),
        ({"train": 1.5}, "data.train=1.5 must be"),
        ({"train": 21}, "data.train=21 is more than the 20 samples of the source's train split"),
        ({"seed": -1}, "data.seed=-1 must be"),
        ({"validation": 5}, "data.validation=5: the source has no such split; loader.validation_fraction"),
    ],
)
def test_sizes_that_do_not_fit_are_named(sizes, message):
    with pytest.raises(ConfigError, match=message):
        part = Part(numbers(), **sizes)
        [part.samples(split) for split in ("train", "validation")]


def test_what_is_no_source_is_named():
    with pytest.raises(ConfigError, match="data.source=mnist is no source: choose one by data@data.source=NAME"):
        Part("mnist")


def test_a_config_names_the_source():
    assert len(instantiate(composed(["experiment=image", "data=part", "data.train=30"]).data).samples("train")) == 30
    words = [
        "experiment=image",
        "data=part",
        "data@data.source=synthetic_audio",
        "data.source.train=40",
        "data.train=9",
    ]
    source = instantiate(composed(words).data)
    assert isinstance(source.source, SyntheticAudio) and len(source.samples("train")) == 9
