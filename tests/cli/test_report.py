"""The report is one file that holds what happened."""

from __future__ import annotations

import base64
import io
import json
import math
import re

import numpy as np
import pytest
import torch
from PIL import Image

from mmattn.cli.main import main
from mmattn.cli.train import prepared
from mmattn.cli.trainer import measure
from mmattn.composition.compose import composed
from mmattn.composition.words import experiment
from mmattn.report.chart import Line, chart, ticks
from mmattn.report.confusion import drawn, matrix, worst
from mmattn.report.curves import read_series
from mmattn.report.pictures import heat, pixels
from mmattn.report.predictions import Predictions, Watch, mistakes, spread
from mmattn.schedules import WarmupCosine
from tests.cli.small import SMALL
from tests.report.balance import Balance


@pytest.fixture(scope="module")
def page(image_run):
    return (image_run / "report.html").read_text()


def test_it_is_whole_and_needs_no_network(page):
    parser = Balance()
    parser.feed(page)
    assert not parser.open
    assert not re.findall(r'(?:src|href)="(?!data:)', page) and "<script" not in page and "@import" not in page


def test_it_holds_claim_metrics_command_and_config(page, image_run):
    accuracy = json.loads((image_run / "results.json").read_text())["test"]["accuracy"]
    for expected in (f"{accuracy:.4f}", "Claim: a small Vision Transformer", "mmattn train image", "depth: 1"):
        assert expected in page


def test_samples_are_pictures_of_the_data(page):
    sources = re.findall(r'src="data:image/png;base64,([^"]+)"', page)
    images = [Image.open(io.BytesIO(base64.b64decode(source))) for source in sources]
    assert len(images) >= 18 and {image.size for image in images} == {(8, 8)}


def test_the_confusion_matrix_counts_the_test_split(page):
    counts = [int(count) for count in re.findall(r"taken for \d: (\d+) \(", page)]
    assert len(counts) == 100 and sum(counts) == 359


@pytest.mark.parametrize(
    "words, expected",
    [
        (["image_masked"], ["original", "hidden", "guess", "data:image/png"]),
        (["protein_masked", "+trainer.limit_val_batches=1"], ["hidden tokens", 'class="wrong"', "→"]),
        (["audio", "data.train=64", "data.validation=16", "data.test=16"], ["data:image/png", "taken for"]),
    ],
)
def test_each_kind_of_task_shows_its_samples(words, expected, tmp_path):
    small = [*SMALL, "trainer.max_epochs=1", f"run.dir={tmp_path / 'run'}"]
    assert main(["train", words[0], *small, *words[1:]]) == 0
    found = (tmp_path / "run" / "report.html").read_text()
    assert all(word in found for word in expected)


RANGES = [(0, 1), (0.31, 0.34), (-3, 2.2), (0, 4e-5), (2, 2), (0, 12345), (0, 3e-14), (7e-15, 7.2e-15), (-2e-20, 0)]
FLAT = [(0, 0), (1, 1 + 1e-12), (0, 5e-324), (5e-324, 5e-324), (-3, math.nextafter(-3, 0)), (1e-13, 1e-13)]


@pytest.mark.parametrize("low, high", [*RANGES, *FLAT])
def test_ticks_are_round_and_enclose(low, high):
    found = ticks(low, high)
    assert found[0] <= low + 1e-12 and found[-1] >= high - 1e-12 and 2 <= len(found) <= 8
    step = found[1] - found[0]
    assert np.allclose(np.diff(found), step, rtol=1e-6, atol=0) and f"{step:.0e}"[0] in "125"


@pytest.mark.parametrize("low, high", [*RANGES, *FLAT, (0.69314, 0.69318), (0.0012, 0.0031), (1e6, 1e6 + 3)])
def test_no_two_ticks_read_the_same(low, high):
    drawing = chart([Line("loss", [(1, low), (2, high)], "a")], "step", "loss")
    shown = re.findall(r'text-anchor="end">([^<]*)<', drawing)
    assert len(shown) == len(set(shown)) == len(ticks(low, high))
    assert [float(each) for each in shown] == pytest.approx(ticks(low, high), rel=1e-3, abs=0)


@pytest.mark.parametrize("last, expected", [(0, "01"), (1, "01"), (2, "012"), (3, "0123")])
def test_steps_are_whole(last, expected):
    drawing = chart([Line("loss", [(0, 1.0), (last, 2.0)], "a")], "step", "loss")
    assert "".join(re.findall(r'text-anchor="middle">(\d+)<', drawing)) == expected


def test_the_learning_rate_is_that_of_its_step(image_run):
    rates = read_series(image_run / "metrics.csv")["train/learning_rate"]
    assert rates and all(value == pytest.approx(1e-3 * WarmupCosine()(step / 16)) for step, value in rates)


def test_a_chart_leaves_out_what_is_not_finite():
    drawing = chart([Line("loss", [(1, 2.0), (2, float("nan")), (3, 1.0)], "a")], "step", "loss")
    assert drawing.count("<circle") == 2 and "nan" not in drawing
    assert chart([Line("loss", [], "a")], "step", "loss") == ""


@pytest.mark.parametrize("classes, numbers", [(2, True), (20, True), (50, False)])
def test_a_confusion_matrix_shows_counts_where_they_can_be_read(classes, numbers):
    truth = np.arange(classes).repeat(3)
    guess = truth.copy()
    guess[0] = 1
    counts = matrix(truth, guess, classes)
    names = [f"<class {i}>" for i in range(classes)]
    drawing = drawn(counts, names)
    assert drawing.count("<rect") == classes**2 and (">2</text>" in drawing) is numbers
    assert "<class" not in drawing and worst(counts, names) == ["<class 0> taken for <class 1>: 1"]


def test_the_surest_mistake_comes_first():
    found = Predictions(np.array([0, 1, 1, 0]), np.array([0, 0, 0, 1]), np.array([0.9, 0.6, 0.8, 0.7]))
    assert mistakes(found, 2) == [2, 3]
    assert spread(10, 3) == [0, 4, 9] and spread(2, 5) == [0, 1]


@pytest.mark.parametrize("words", [["image"], ["audio", "data.train=8", "data.validation=8", "data.test=48"]])
def test_predictions_of_a_report_are_those_of_each_sample_in_order(words):
    config = composed(experiment([*words, *SMALL]))
    built, watch = prepared(config), Watch()
    measure(built, config, ("test", "validation"), watch)
    for split, found in watch.found.items():
        dataset, task = built.data.dataset(split), built.task.eval()
        with torch.no_grad():
            scores = [task.evaluate(dataset.batch([(0, index)])) for index in range(len(dataset))]
        assert found.truth.tolist() == [int(each.target) for each in scores]
        chances = torch.cat([each.prediction for each in scores]).softmax(-1)
        assert np.allclose(found.chance, chances.max(-1).values, atol=1e-5)
        assert found.guess.tolist() == chances.argmax(-1).tolist() and len(set(found.truth.tolist())) > 1
    assert set(watch.found) == {"test", "validation"}


def test_tasks_without_classes_have_no_predictions_to_show():
    config = composed(experiment(["text", *SMALL, "loader.batch_size=64"]))
    watch = Watch()
    measure(prepared(config), config, ("validation",), watch)
    assert not watch.found


def test_arrays_become_pictures():
    assert heat(np.array([[0.0, 1.0]])).tolist() == [[[0, 0, 4], [252, 255, 164]]]
    assert pixels(np.ones((1, 2, 3))).shape == (2, 3) and pixels(np.ones((3, 2, 3))).shape == (2, 3, 3)
