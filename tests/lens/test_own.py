"""Self-attention of a sample, over its picture or between its tokens."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from mmattn.build import build
from mmattn.composition.compose import composed
from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.lens import Row, capture
from mmattn.lens.matrix import Matrices, matrices_page, matrices_strip, matrix
from mmattn.lens.own import own_maps
from mmattn.report.pictures import STOPS
from tests.report.balance import Balance

SMALL = ["backbone.dim=32", "backbone.depth=2"]


@pytest.fixture(scope="module")
def image():
    return build(composed(["experiment=image", *SMALL])).task.eval()


@pytest.fixture(scope="module")
def text():
    return build(composed(["experiment=text", *SMALL])).task.eval()


def test_a_picture_shows_how_much_each_place_is_read(image):
    sample = Sample("digit", Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8)))
    prepared = image.tokenizer.prepare(sample)
    rows = own_maps(image, prepared, "backbone.blocks.1.*", [0, 2])
    (row,) = rows
    assert isinstance(row, Row) and row.title == "blocks.1.mixer"
    assert [name for name, _ in row.words] == ["mean of heads 0, 2", "head 0", "head 2"]
    with capture(image, "backbone.blocks.1.mixer") as maps, torch.no_grad():
        image(image.tokenizer.collate([prepared]))
    (record,) = maps["backbone.blocks.1.mixer"]
    read = record.weights(heads=[2])[0, 0].mean(0)[image.tokenizer.prefix.count :]
    np.testing.assert_allclose(row.words[2][1].flatten(), read.numpy(), rtol=1e-5)


def test_a_text_shows_which_token_reads_which(text):
    prepared = text.tokenizer.prepare(Sample("a", "A word"))
    found = own_maps(text, prepared)
    assert [each.title for each in found] == ["blocks.0.mixer", "blocks.1.mixer"]
    first = found[0]
    assert isinstance(first, Matrices) and list(first.tokens)[-6:] == ["A", "␣", "w", "o", "r", "d"]
    weights = first.maps[0][1]
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    assert (np.triu(weights, 1) == 0).all()  # it is causal
    markup = matrices_page("<a>", found, [("layers", "2")])
    parser = Balance()
    parser.feed(markup)
    assert not parser.open and markup.count("<img") == 2 * (1 + 4) and "<a>" not in markup


def test_a_matrix_has_a_row_a_query_with_its_name():
    weights = np.array([[1.0, 0.0], [0.5, 0.5]])
    shown = matrix(weights, ["a", "long name"], 1.0)
    assert shown.shape[0] == shown.shape[1]
    cells = shown[-28:, -28:]
    assert cells[7, 7].tolist() == list(STOPS[-1]) and cells[7, 21].tolist() == list(STOPS[0])
    margin = shown.shape[0] - 28
    assert (shown[margin : margin + 14, :margin] < 128).any() and (shown[:margin, margin + 14 :] < 128).any()
    image = matrices_strip([Matrices("layer", ["a", "b"], [("all heads", weights)])] * 2)
    assert image.height > 2 * 28


def test_what_cannot_be_seen_is_said(text, monkeypatch):
    prepared = text.tokenizer.prepare(Sample("a", "A word"))
    with pytest.raises(ConfigError, match=r"1 × 4 × .* weights.*and limit is"):
        own_maps(text, prepared, limit=10)
    with pytest.raises(ConfigError, match="heads=9 does not exist"):
        own_maps(text, prepared, heads=[9])
    monkeypatch.setattr(text, "backbone", torch.nn.Identity())
    with pytest.raises(ConfigError, match="Identity has no attention layer"):
        own_maps(text, prepared)
