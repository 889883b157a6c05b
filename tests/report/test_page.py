"""Pieces of a report's page: whatever a name holds, the page stays HTML and shows it as it is."""

from __future__ import annotations

import base64
import html
import io
import re

import numpy as np
import pytest
from PIL import Image

from mmattn.report.cards import Card
from mmattn.report.page import code, folded, gallery, page, section, table, tiles
from mmattn.report.pictures import data_uri, heat, pixels
from tests.report.balance import Balance

NASTY = "<b>'a' & \"b\"</b> ü"


def text_of(markup):
    return html.unescape(re.sub(r"<style>.*?</style>|<[^>]*>", "", markup, flags=re.DOTALL))


PIECES = {
    "page": page(NASTY, [f"<p>{html.escape(NASTY)}</p>"]),
    "section": section(NASTY, "<p></p>", NASTY),
    "tiles": tiles([(NASTY, NASTY), ("a", "1")]),
    "table": table({NASTY: NASTY}),
    "code": code(NASTY),
    "folded": folded(NASTY, ""),
    "text": gallery([Card(NASTY, [(NASTY, NASTY)], False, [(NASTY, 0.5)], NASTY)]),
    "marked": gallery([Card(NASTY, [(NASTY, [(NASTY, "new"), (NASTY, "")])])]),
    "picture": gallery([Card(NASTY, [(NASTY, np.zeros((2, 2), np.uint8))])]),
}


@pytest.mark.parametrize("piece", PIECES)
def test_names_are_shown_as_they_are_and_tags_are_closed(piece):
    markup = PIECES[piece]
    parser = Balance()
    parser.feed(markup)
    assert not parser.open and "<b>'" not in markup and NASTY in text_of(markup)


def test_what_is_empty_is_left_out():
    assert section("heading", "") == "" and gallery([]) == ""
    assert "\n\n" not in page("title", ["<p>a</p>", "", "<p>b</p>"]).split("<main>")[1]
    assert "<small>" not in gallery([Card("a", [("", "text")])])


def test_the_first_figure_stands_out():
    kinds = re.findall(r'class="(tile|tile first)"', tiles([("a", "1"), ("b", "2"), ("c", "3")]))
    assert kinds == ["tile first", "tile", "tile"]


@pytest.mark.parametrize(
    ("right", "kind", "mark"), [(True, "card right", "✓ "), (False, "card wrong", "✗ "), (None, "card", "")]
)
def test_a_card_says_what_was_predicted_and_what_is_true(right, kind, mark):
    chances = [("cat", 0.7), ("dog", 0.2), ("owl", 0.06), ("bee", 0.04)]
    markup = gallery([Card("a.png", [("", "text")], right, chances, "dog")])
    assert f'<div class="{kind}">' in markup and f"{mark}cat" in text_of(markup)
    assert ("is dog" in text_of(markup)) is (right is False)
    assert re.findall(r"width:(\d+)%", markup) == ["70", "20", "6"]


def test_cards_are_wide_where_they_hold_more_than_a_picture():
    picture = np.zeros((2, 2), np.uint8)
    assert 'class="cards"' in gallery([Card("a", [("", picture)])])
    for parts in ([("", "text")], [("a", picture), ("b", picture)]):
        assert 'class="cards wide"' in gallery([Card("a", [("", picture)]), Card("b", parts)])


def opened(uri):
    assert uri.startswith("data:image/png;base64,")
    return Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1])))


def test_a_small_picture_is_kept_and_a_large_one_is_made_smaller():
    small = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
    assert np.array_equal(np.array(opened(data_uri(small))), small)
    assert opened(data_uri(np.zeros((400, 100), np.uint8))).size == (48, 192)
    assert opened(data_uri(np.zeros((64, 3000), np.uint8))).size == (384, 8)


def test_heat_is_lighter_the_higher_the_value_and_dark_where_all_are_alike():
    shades = heat(np.linspace(-3, 5, 50)[None]).astype(float)[0] @ (0.299, 0.587, 0.114)
    assert (np.diff(shades) > 0).all() and heat(np.full((2, 3), 7.0)).tolist() == [[[0, 0, 4]] * 3] * 2


def test_pictures_are_clipped_rounded_and_grey_where_there_are_no_three_colours():
    assert pixels(np.array([[[-1.0, 0.5, 2.0]]])).tolist() == [[0, 128, 255]]
    both = np.stack([np.zeros((1, 1)), np.ones((1, 1))])
    assert pixels(both).tolist() == [[128]]
    colours = np.arange(3)[:, None, None] / 2 * np.ones((3, 2, 1))
    assert pixels(colours).tolist() == [[[0, 128, 255]]] * 2
