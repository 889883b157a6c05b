"""Curves with axes that say what stands where."""

from __future__ import annotations

import re

import pytest

from mmattn.report.plot import BOTTOM, HEIGHT, Curve, plot


def written(drawn):
    return re.findall(r"<text[^>]*>([^<]*)</text>", drawn)


@pytest.mark.parametrize(
    ("xs", "log", "ticks"),
    [
        ([4, 24], "", ["0", "5", "25"]),
        ([0, 100], "", ["0", "100"]),
        ([256, 32768], "x", ["256", "32,768"]),
        ([1e-5, 8e-5], "x", ["3e-5"]),
    ],
)
def test_ticks_are_written_as_people_write_them(xs, log, ticks):
    names = written(plot([Curve("a", [(x, 0.5) for x in xs])], "x", "y", log))
    assert set(ticks) <= set(names) and not any("e0" in name for name in names)


def test_a_curve_without_a_point_that_can_be_drawn_keeps_its_colour_and_nothing_is_no_picture():
    both = plot([Curve("a", [(0, 1)]), Curve("b", [(1, 1), (2, 3)])], "x", "y", "x")
    assert written(both)[-2:] == ["a", "b"] and both.count("<polyline") == 1 and 'stroke="#d55e00"' in both
    assert plot([Curve("a", [(0, 1)])], "x", "y", "x") == ""


def test_several_values_at_a_place_are_a_mean_with_a_band():
    curve = Curve.of("a", [(1, [2.0, 4.0]), (2, [5.0, 6.0])])
    assert curve == Curve("a", [(1, 3.0), (2, 5.5)], [(1, 2.0, 4.0), (2, 5.0, 6.0)])
    assert Curve.of("a", zip([1, 2], [[2.0], [5.0]], strict=True)) == Curve("a", [(1, 2.0), (2, 5.0)])


def test_a_band_is_seen_at_one_place_and_down_to_nothing():
    alone = plot([Curve.of("a", [(1, [2.0, 4.0])]), Curve("b", [(2, 1.0)])], "x", "y")
    assert re.search(r'<polygon points="(\S+),(\S+) \1,(\S+)" fill="(\S+)" stroke="\4"', alone)
    faded = plot([Curve.of("a", [(1, [2.0, 4.0]), (2, [0.0, 1e-3])])], "x", "y", "y")
    (edge,) = re.findall(r'<polygon points="([^"]+)"', faded)
    assert len(edge.split()) == 4 and max(float(each.split(",")[1]) for each in edge.split()) <= HEIGHT - BOTTOM
