"""The judge of pictures: right about drawings, also noisy and blurred ones, and about what is wrong with others."""

from __future__ import annotations

import numpy
import pytest
from PIL import Image, ImageDraw, ImageFilter

from mmattn.data.scenes import Scenes, check, draw, find, look, where
from mmattn.data.scenes.scene import SIZES, Scene, Thing
from mmattn.errors import ConfigError

HARD = {"pixels": 64, "most": 3, "alone": 0.2, "sized": 3}
SETTINGS = pytest.mark.parametrize("settings", [{}, HARD], ids=["32", "64"])
RED, BLUE = Thing("red", "circle", 0.25, 0.5, SIZES["small"]), Thing("blue", "star", 0.7, 0.5, SIZES["medium"])
BOTH = draw(Scene((RED, BLUE)), 64)


def share_right(samples, change=lambda image: image, texts=None):
    texts = [sample.value["text"] for sample in samples] if texts is None else texts
    return numpy.mean([check(change(each.value["image"]), text).all for each, text in zip(samples, texts, strict=True)])


def samples(settings, count):
    return Scenes(test=count, **settings).samples("test")[:]


@SETTINGS
def test_clean_drawings_are_right(settings):
    assert share_right(samples(settings, 200)) == 1


@pytest.mark.slow
@SETTINGS
def test_two_thousand_clean_drawings_are_right(settings):
    drawn = samples(settings, 2000)
    assert share_right(drawn) >= 0.99
    assert share_right(Scenes(**settings).held_out(500)[:]) >= 0.99
    assert share_right(drawn, texts=[sample.value["text"] for sample in drawn[1:] + drawn[:1]]) < 0.02


@SETTINGS
@pytest.mark.parametrize("noise", [0.05, 0.1])
def test_noise_does_not_matter(settings, noise):
    random = numpy.random.default_rng(0)

    def noisy(image):
        return numpy.asarray(image) / 255 + noise * random.normal(size=(*image.size, 3))

    assert share_right(samples(settings, 100), noisy) >= 0.97


@SETTINGS
def test_blur_does_not_matter(settings):
    assert share_right(samples(settings, 100), lambda image: image.filter(ImageFilter.GaussianBlur(0.8))) >= 0.99


@SETTINGS
def test_captions_of_other_pictures_are_wrong(settings):
    drawn = samples(settings, 200)
    assert share_right(drawn, texts=[sample.value["text"] for sample in drawn[1:] + drawn[:1]]) <= 0.02


@pytest.mark.parametrize(
    ("caption", "wrong"),
    [
        ("a small red circle left of a blue star", set()),
        ("a blue star right of a red circle", set()),
        ("a red circle right of a blue star", {"relation"}),
        ("a red circle above a blue star", {"relation"}),
        ("a large red circle left of a blue star", {"size"}),
        ("a green circle left of a blue star", {"colour"}),
        ("a red square left of a blue star", {"shape"}),
        ("a blue circle left of a red star", {"colour"}),  # what swaps the colours names the right shapes
        ("a red circle", {"count"}),
        ("a red circle left of a blue star left of a black cross", {"count", "colour", "shape", "relation"}),
    ],
)
def test_each_point_is_judged_apart(caption, wrong):
    verdict = check(BOTH, caption)
    points = ("count", "colour", "shape", "size", "relation")
    assert {point for point in points if getattr(verdict, point) is False} == wrong
    assert verdict.all is not bool(wrong)


def test_what_a_caption_does_not_say_is_not_judged():
    verdict = check(draw(Scene((RED,)), 32), "a red circle")
    assert verdict.all and verdict.size is None and verdict.relation is None


def test_things_are_found_where_they_are():
    blue, red = look(BOTH)
    assert (blue.colour, blue.shape, red.colour, red.shape) == ("blue", "star", "red", "circle")
    for seen, drawn in ((blue, BLUE), (red, RED)):
        assert (seen.x, seen.y, seen.radius) == pytest.approx((drawn.x, drawn.y, drawn.radius), abs=0.006)


def test_words_find_their_boxes_in_pixels():
    text = "a small red circle left of a blue star"
    for seen, drawn in zip(find(BOTH, text), where(Scene((RED, BLUE)), text), strict=True):
        assert (seen.start, seen.stop) == (drawn.start, drawn.stop)
        assert vars(seen.box) == pytest.approx(vars(drawn.box), abs=0.012)
    text = "a red circle left of a blue cross"  # which is not there
    assert [text[each.start : each.stop] for each in find(BOTH, text)] == ["red", "circle"]


def drawn(shape, corners, **more):
    image = Image.new("RGB", (256, 256), (245, 245, 245))
    getattr(ImageDraw.Draw(image), shape)(corners, **({"fill": (0, 70, 200)} | more))
    return image.reduce(4)


@pytest.mark.parametrize(
    "image",
    [
        drawn("rectangle", (60, 80, 140, 120)),
        drawn("ellipse", (60, 80, 120, 140), fill=None, outline=(0, 70, 200), width=10),
        drawn("pieslice", (60, 80, 120, 140), start=0, end=180),
        drawn("polygon", [(60, 80), (120, 80), (90, 130)]),
    ],
    ids=["bar", "ring", "half", "upside down"],
)
def test_other_shapes_are_unclear(image):
    assert [(thing.colour, thing.shape) for thing in look(image)] == [("blue", "unclear")]
    assert look(image)[0].box.holds(90 / 256, 112 / 256)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0, numpy.nan])
def test_an_empty_picture_shows_nothing_that_was_asked_for(level):
    verdict = check(numpy.full((32, 32, 3), level), "a red circle left of a blue star")
    assert (verdict.count, verdict.colour, verdict.shape, verdict.relation) == (False,) * 4


def test_noise_alone_is_never_right():
    random = numpy.random.default_rng(0)
    assert not any(check(random.uniform(size=(32, 32, 3)), "a red circle").all for _ in range(20))


def test_bytes_floats_and_images_are_read_alike():
    pixels = numpy.asarray(BOTH)
    assert look(BOTH) == look(pixels) == look((pixels / 255).astype(numpy.float32))


@pytest.mark.parametrize("picture", [numpy.zeros((3, 32, 32)), numpy.zeros((32, 32)), numpy.zeros((32, 32, 3), int)])
def test_other_arrays_are_refused(picture):
    with pytest.raises(ValueError, match="A picture"):
        look(picture)


def test_a_caption_outside_the_language_is_refused():
    with pytest.raises(ConfigError, match="'rad' is none of its words"):
        check(BOTH, "a rad circle")
