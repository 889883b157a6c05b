"""Shares of what many pictures get right, against counts by hand."""

from __future__ import annotations

from mmattn.data.scenes import Scenes, check, parse, shares


def judged(samples, captions):
    return [(text, check(each.value["image"], text)) for each, text in zip(samples, captions, strict=True)]


def test_right_pictures_get_all_points():
    samples = Scenes().tests(40)
    found = shares(judged(samples, [each.value["text"] for each in samples]))
    names = {"count", "colour", "shape", "size", "relation", "all"}
    names |= {"one_colour", "one_shape", "one_all", "two_colour", "two_shape", "two_relation", "two_all"}
    assert set(found) == names and set(found.values()) == {1.0}


def test_points_count_where_a_caption_asks_for_them():
    samples = Scenes().tests(40)
    wrong = [each.value["swapped"] for each in samples]
    verdicts = judged(samples, wrong)
    found = shares(verdicts)
    assert found["count"] == 1 and found["all"] == sum(each.all for _, each in verdicts) / 40 < 0.1
    two = [verdict for text, verdict in verdicts if len(parse(text).nouns) == 2]
    assert found["two_relation"] == found["relation"] == sum(each.relation for each in two) / len(two)
    one = [verdict for text, verdict in verdicts if len(parse(text).nouns) == 1]
    assert found["one_shape"] == sum(each.shape for each in one) / len(one) < 1
    assert found["shape"] * 40 == sum(each.shape for each in one + two)


def test_a_point_that_nobody_asks_for_has_no_share():
    picture = Scenes().tests(1)[0].value["image"]
    assert set(shares([("a red circle", check(picture, "a red circle"))])) == {
        "count", "colour", "shape", "all", "one_colour", "one_shape", "one_all",
    }  # fmt: skip
    assert shares([]) == {}


def test_more_test_samples_than_the_split_has_begin_with_its_own():
    source = Scenes(test=3)
    own, more = source.samples("test"), source.tests(5)
    assert len(more) == 5 and [each.value["text"] for each in own] == [each.value["text"] for each in more[:3]]
