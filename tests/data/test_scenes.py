"""Drawn scenes: what they depend on, what they hold back, and whether their captions say what is drawn."""

from __future__ import annotations

import numpy
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf
from PIL import Image

from mmattn.contracts.source import check_source
from mmattn.data.scenes import Scenes, draw, parse, relation, where
from mmattn.data.scenes.compose import HELD_OUT, PAIRS, SEEN, compose, some_sizes
from mmattn.data.scenes.scene import COLOURS, SHAPES, SIZES, Scene, Thing
from mmattn.errors import ConfigError

HARD = {"pixels": 64, "most": 3, "alone": 0.2, "sized": 3}


@pytest.fixture(params=[{}, HARD], ids=["scenes", "scenes_hard"])
def source(request):
    return Scenes(train=300, validation=60, test=60, **request.param)


def pairs(source, split, count):
    return [{(thing.colour, thing.shape) for thing in source.scene(split, i).things} for i in range(count)]


def test_the_configs_are_these_settings():
    for name, settings in (("scenes", {}), ("scenes_hard", HARD)):
        made = instantiate(OmegaConf.load(f"conf/data/{name}.yaml"))
        assert vars(made) == vars(Scenes(**settings))


def test_a_caption_says_what_is_drawn(source):
    for index, sample in enumerate(source.samples("train")):
        things, asked = source.scene("train", index).things, parse(sample.value["text"])
        assert [(thing.colour, thing.shape) for thing in things] == [(noun.colour, noun.shape) for noun in asked.nouns]
        assert [noun.size or "medium" for noun in asked.nouns] == [thing.size for thing in things]
        assert [relation(*both) for both in zip(things, things[1:], strict=False)] == list(asked.relations)


def test_a_sample_depends_on_seed_split_and_index_alone(source):
    settings = {name: getattr(source, name) for name in ("pixels", "most", "alone", "sized")}
    longer = Scenes(train=1000, **settings)
    assert longer.scene("train", 7) == source.scene("train", 7)
    assert Scenes(seed=1, **settings).scene("train", 7) != source.scene("train", 7) != source.scene("test", 7)
    assert longer.samples("train")[7].value["image"].tobytes() == source.samples("train")[7].value["image"].tobytes()


def test_scenes_are_distinct(source):
    drawn = [sample.value["image"].tobytes() for split in ("train", "test") for sample in source.samples(split)]
    assert len(set(drawn)) == len(drawn) == 360


def test_splits_keep_from_the_held_out_pairs_and_prompts_have_them(source):
    seen = set().union(*pairs(source, "train", 300), *pairs(source, "test", 60), *pairs(source, "validation", 60))
    assert seen == set(SEEN) and len(SEEN) + len(HELD_OUT) == len(PAIRS) == 30
    prompts = source.held_out()
    assert len(prompts) == 512 and all(each & set(HELD_OUT) for each in pairs(source, "held_out", 512))
    assert set().union(*pairs(source, "held_out", 512)) >= set(HELD_OUT)
    nouns = parse(prompts[3].value["text"]).nouns
    assert {(noun.colour, noun.shape) for noun in nouns} == pairs(source, "held_out", 4)[3]
    colours, shapes = ({pair[i] for pair in SEEN} for i in (0, 1))
    assert colours == set(COLOURS) and shapes == set(SHAPES)


def test_numbers_and_sizes_are_as_set():
    source = Scenes(train=600)
    scenes = [source.scene("train", i).things for i in range(600)]
    alone = [things[0].size for things in scenes if len(things) == 1]
    assert 0.34 < len(alone) / 600 < 0.46 and set(alone) == set(SIZES)
    assert {thing.size for things in scenes if len(things) == 2 for thing in things} == {"medium"}
    hard = Scenes(**HARD)
    assert {len(hard.scene("train", i).things) for i in range(60)} == {1, 2, 3}


def test_things_stand_apart_and_inside(source):
    for index in range(200):
        boxes = [thing.box for thing in source.scene("train", index).things]
        assert all(min(box.left, box.top) > 0 and max(box.right, box.bottom) < 1 for box in boxes)
        things = source.scene("train", index).things
        alone = [numpy.asarray(draw(Scene((thing,), (255, 255, 255)), 64)).min(-1) < 250 for thing in things]
        assert (numpy.sum(alone, 0) <= 1).all()


def test_a_box_is_what_is_drawn():
    for shape in SHAPES:
        thing = Thing("black", shape, 0.45, 0.55, 0.2)
        dark = numpy.asarray(draw(Scene((thing,), (255, 255, 255)), 200)).min(-1) < 128
        rows, columns = numpy.flatnonzero(dark.any(1)), numpy.flatnonzero(dark.any(0))
        measured = [columns[0] / 200, rows[0] / 200, (columns[-1] + 1) / 200, (rows[-1] + 1) / 200]
        box = thing.box
        assert measured == pytest.approx([box.left, box.top, box.right, box.bottom], abs=0.015)
        assert box.holds(0.45, 0.55) and not box.holds(0.45, 0.9)


def test_sizes_find_room(monkeypatch):
    random = numpy.random.default_rng(0)
    for count in (1, 2, 3):
        pairs, tried = SEEN[:count], set()
        for _ in range(40):
            sizes = some_sizes(count, random)
            if tuple(sorted(sizes)) not in tried:
                compose(pairs, sizes, random)
            tried.add(tuple(sorted(sizes)))
        assert len(tried) > 2
    monkeypatch.setattr("mmattn.data.scenes.compose.GOES", 2)
    with pytest.raises(ConfigError, match="no room for things of radii 0.2"):
        compose(SEEN[:3], ["large"] * 3, random)


def test_words_have_the_boxes_of_their_things():
    left, right = Thing("red", "circle", 0.25, 0.5, SIZES["small"]), Thing("blue", "star", 0.7, 0.5, SIZES["medium"])
    text = "a blue star right of a small red circle"
    words = {text[each.start : each.stop]: each.box for each in where(Scene((right, left)), text)}
    assert words == {"blue": right.box, "star": right.box, "small": left.box, "red": left.box, "circle": left.box}


def test_edges_are_soft_and_the_size_is_free():
    scene = Scene((Thing("black", "circle", 0.5, 0.5, 0.2),), (255, 255, 255))
    for pixels in (32, 64, 100):
        image = draw(scene, pixels)
        assert isinstance(image, Image.Image) and image.size == (pixels, pixels) and image.mode == "RGB"
        levels = numpy.asarray(image)[..., 0]
        assert len(numpy.unique(levels)) > 10
        assert (255 - levels).sum() / 240 / pixels**2 == pytest.approx(numpy.pi * 0.2**2, rel=0.03)


MISSING_CONES = {  # Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "long": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "middle": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "short": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


@pytest.mark.parametrize("missing", MISSING_CONES)
def test_colours_are_apart_for_the_colour_blind(missing):
    from sklearn.metrics import pairwise_distances

    colours = numpy.array(list(COLOURS.values())) / 255
    linear = numpy.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    seen = numpy.clip(linear @ numpy.array(MISSING_CONES[missing]).T, 0, 1)
    to_xyz = numpy.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = seen @ to_xyz.T / to_xyz.sum(1)
    x, y, z = numpy.where(ratio > 0.008856, numpy.cbrt(ratio), 7.787 * ratio + 16 / 116).T
    distances = pairwise_distances(numpy.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1))
    assert distances[~numpy.eye(6, dtype=bool)].min() > 29


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"most": 4}, r"data\.most=4 must be between 1 and 3"),
        ({"pixels": 8}, r"data\.pixels=8 must be at least 24"),
        ({"alone": 1.5}, r"data\.alone=1\.5 must be a share"),
        ({"sized": -1}, r"data\.sized=-1 must be between 0 and 3"),
        ({"train": 0}, r"data\.train=0 must be at least 1"),
    ],
)
def test_numbers_out_of_range_are_named(arguments, message):
    with pytest.raises(ConfigError, match=message):
        Scenes(**arguments)


def test_the_contract_holds_and_a_split_may_be_left_out(source):
    assert check_source(source, limit=60) == []
    assert Scenes(test=0).samples("test") is None


def test_prompts_can_be_read_suit_the_scenes_and_hold_pairs_that_training_has_not():
    assert all(len(parse(prompt).nouns) == 1 for prompt in Scenes(most=1).prompts)
    prompts = [parse(prompt) for prompt in Scenes(most=3).prompts]
    assert {len(each.nouns) for each in prompts} == {1, 2, 3}
    assert any((noun.colour, noun.shape) in HELD_OUT for each in prompts for noun in each.nouns)


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("a red circle left of a blue square above a green star", "It names 3 things, and scenes have 2 at most."),
        ("a red circle left of a blue square above a small star", "The caption"),
        (
            "a red circle left of a small blue square",
            "sizes of 2 things, and captions tell sizes only of scenes of up to 1",
        ),
        ("a red circle above a red circle", "Two of its things have one colour and one shape"),
    ],
)
def test_what_no_caption_asks_for_is_told(prompt, said):
    assert said in Scenes().unusual(prompt)


def test_what_captions_ask_for_and_pairs_held_back_are_not_unusual(source):
    assert not any(source.unusual(each) for each in source.prompts)
    assert not any(source.unusual(each.value["text"]) for each in source.samples("train"))
    assert "one thing each" in Scenes(alone=1.0).unusual("a red circle above a blue square")
    assert "two things or more" in Scenes(alone=0.0).unusual("a red circle")
    large = "a large red circle above a large blue circle above a large green square"
    assert "no room" in Scenes(**HARD).unusual(large)
