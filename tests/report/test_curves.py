"""Curves of a training, from its metrics.csv to lines on a page."""

from __future__ import annotations

import re

import numpy as np
import pytest

from mmattn.report.chart import HEIGHT, LEFT, RIGHT, TOP, WIDTH, Line, chart, ticks
from mmattn.report.confusion import drawn, matrix, worst
from mmattn.report.curves import MOST, curves, read_series, thinned
from mmattn.report.predictions import Predictions, mistakes, spread

LOG = """epoch,step,train/batch_loss,train/loss,train/learning_rate,validation/loss,validation/accuracy
0,0,3.0,,0.1,,
0,1,2.0,,0.2,,
0,1,,2.5,,,
0,1,,,,1.5,0.5
1,3,1.0,nan,0.1,1.25,0.75
"""


@pytest.fixture
def log(tmp_path):
    (tmp_path / "metrics.csv").write_text(LOG)
    return tmp_path / "metrics.csv"


def test_each_column_is_a_series_over_steps_counted_from_one(log):
    series = read_series(log)
    assert series["train/batch_loss"] == [(1, 3.0), (2, 2.0), (4, 1.0)]
    assert series["validation/accuracy"] == [(2, 0.5), (4, 0.75)] and "epoch" not in series and "step" not in series
    assert read_series(log.parent / "none.csv") == {} and curves(log.parent / "none.csv") == ""


def test_losses_metrics_and_the_learning_rate_have_a_chart_each(log):
    found = curves(log)
    assert re.findall(r'aria-label="([^"]*)"', found) == ["loss", "validation", "learning rate"]
    legends = re.findall(r"<figcaption.*?</figcaption>", found)
    assert [re.findall(r"</i>([^<]*)<", legend) for legend in legends] == [
        ["training, single batches", "training, epoch mean", "validation"], ["accuracy"], ["learning rate"]
    ]  # fmt: skip
    assert "validation 1.25 at step 4" in found and "nan" not in found


def test_a_long_training_is_thinned_and_keeps_its_first_point(tmp_path):
    rows = "".join(f"{step},{step / 7}\n" for step in range(5 * MOST + 1))
    (tmp_path / "m.csv").write_text("step,train/batch_loss\n" + rows)
    whole = read_series(tmp_path / "m.csv")["train/batch_loss"]
    points = thinned(whole)
    assert len(whole) == 5 * MOST + 1 and MOST / 2 < len(points) <= MOST
    assert points[0] == (1, 0.0) and points == sorted(points)
    assert len(places(curves(tmp_path / "m.csv"))) == len(points)


def places(drawing):
    return [tuple(map(float, pair.split(","))) for pair in re.search(r'points="([^"]*)"', drawing)[1].split()]


def test_points_lie_where_their_values_are():
    drawing = chart([Line("x", [(0, 0.0), (50, 10.0), (100, 5.0)], "a")], "step", "loss")
    (x0, y0), (x1, y1), (x2, y2) = places(drawing)
    assert (x0, x2, y1) == (LEFT, WIDTH - RIGHT, TOP)
    assert x1 == pytest.approx((x0 + x2) / 2, abs=0.1) and y2 == pytest.approx((y0 + y1) / 2, abs=0.1)


@pytest.mark.parametrize("points", [[(1, 2.0)], [(1, 0.0), (2, 0.0)], [(5, -1e-9), (6, 1e9)], [(1, 1e-7), (2, 2e-7)]])
def test_lines_of_one_point_or_value_stay_inside(points):
    drawing = chart([Line("x", points, "faint"), Line("y", points, "b")], "step", "loss")
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places(drawing))
    assert drawing.count("<polyline") == 2 and drawing.count("<circle") == len(points)  # a faint line has no dots


@pytest.mark.parametrize("most", [3, 6, 11])
def test_there_are_not_many_more_ticks_than_asked_for(most):
    for high in np.logspace(-8, 8, 60):
        found = ticks(0, high, most)
        assert 2 <= len(found) <= most + 1 and found[0] == 0 and found[-1] >= high * (1 - 1e-9)


def test_a_confusion_matrix_counts_pairs():
    counts = matrix(np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 0, 0, 2]), 4)
    assert counts.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [2, 0, 1, 0], [0] * 4]
    assert matrix(np.array([], int), np.array([], int), 2).sum() == 0
    assert worst(counts, "abcd") == ["c taken for a: 2", "a taken for b: 1"] and worst(counts, "abcd", most=1) == [
        "c taken for a: 2"
    ]
    assert worst(np.diag([3, 4]), "ab") == []


def test_a_confusion_matrix_says_shares_of_the_true_class_and_shortens_long_names():
    counts = np.array([[3, 1], [0, 0]])
    drawing = drawn(counts, ["a" * 30, "b"])
    assert f"{'a' * 30} taken for b: 1 (25.0% of {'a' * 30})" in drawing and "b taken for b: 0 (0.0% of b)" in drawing
    assert drawing.count(f">{'a' * 15}…</text>") == 2
    assert drawn(np.zeros((61, 61), int), ["x"] * 61) == "<p>61 classes are too many for a picture.</p>"


def test_samples_to_look_at_are_few_and_spread_out():
    assert spread(0, 5) == [] and spread(1, 5) == [0] == spread(100, 1)
    assert spread(7, 7) == list(range(7)) and len(spread(1000, 18)) == 18
    right = Predictions(np.array([0, 1]), np.array([0, 1]), np.array([0.5, 0.9]))
    tied = Predictions(np.array([1, 1, 1]), np.array([0, 0, 0]), np.array([0.8, 0.9, 0.8]))
    assert mistakes(right, 3) == [] and mistakes(tied, 3) == [1, 0, 2]
