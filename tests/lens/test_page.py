"""The page and the picture show what they are given, and need nothing from elsewhere."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
from PIL import Image

from mmattn.lens import Row, page, strip
from mmattn.lens.overlay import outlines, overlay
from mmattn.lens.page import largest
from mmattn.lens.writing import written
from mmattn.report.pictures import STOPS
from tests.report.balance import Balance

NASTY = "<b>'a' & \"b\"</b> ü"
GREY = np.full((8, 12), 100, np.uint8)
HEAT = np.array([[0.0, 0.1, 0.2], [0.4, np.nan, 0.0]])


def rows():
    colour = np.random.default_rng(0).integers(0, 255, (8, 12, 3), dtype=np.uint8)
    return [
        Row(f"before {NASTY}", colour, [("red", HEAT), (NASTY, HEAT / 2)]),
        Row("after", colour, [("blue", HEAT[::-1]), ("car", np.full((2, 3), np.nan))]),
    ]


def test_an_overlay_colours_each_place_by_its_weight():
    shown = overlay(GREY, HEAT, 0.4).astype(float)
    height, width = shown.shape[:2]
    assert height >= 105 and width >= 160 and height * 12 == width * 8
    middle = [[shown[int((r + 0.5) * height / 2), int((c + 0.5) * width / 3)] for c in range(3)] for r in range(2)]
    np.testing.assert_allclose(middle[0][0], np.array(STOPS[0]), atol=0.5)
    np.testing.assert_allclose(middle[1][0], np.array(STOPS[-1]), atol=0.5)
    assert middle[1][1].tolist() == [100.0] * 3  # no token stands there
    light = [middle[r][c] @ (0.299, 0.587, 0.114) for r, c in [(0, 0), (0, 1), (0, 2), (1, 0)]]
    assert light == sorted(light) and len(set(light)) == 4
    assert len(np.unique(shown[: height // 2, : width // 3].reshape(-1, 3), axis=0)) == 1  # sharp edges


def test_a_thing_changes_the_colours_at_its_outline_alone():
    """Whatever faint noise the picture has, as pictures that a model made have."""
    noise = np.random.default_rng(0).integers(0, 10, (32, 32))
    thing = (240 + noise).astype(np.uint8)
    thing[8:16, 8:16] -= 230
    edge = np.zeros((160, 160), bool)
    edge[np.ix_([39, 40, 79, 80], range(40, 80))] = edge[np.ix_(range(40, 80), [39, 40, 79, 80])] = True
    for heat, contrast in ((0.0, 255), (1.0, 0)):
        plain, drawn = (overlay(each, np.full((4, 4), heat), 1.0).astype(int) for each in (thing * 0, thing))
        assert np.array_equal((plain != drawn).any(-1), edge)
        assert (abs(drawn - contrast)[edge] <= abs(plain - contrast)[edge]).all()


def test_a_soft_edge_has_one_line():
    soft = np.repeat([[0.0, 0.0, 0.3, 0.8, 1.0, 1.0]], 3, 0)[..., None]
    assert np.flatnonzero(outlines(soft, 2)[0]).tolist() == [5, 6]
    assert np.flatnonzero(outlines(soft.transpose(1, 0, 2), 2)[:, 0]).tolist() == [5, 6]


def test_all_rows_share_one_scale():
    assert largest(rows()) == 0.4 and largest([Row("empty", GREY, [])]) == 0.0
    row = rows()[0]
    (_, picture), (_, one), (_, half) = row.pictures(0.4)
    assert np.array_equal(picture, row.picture)
    assert np.array_equal(half, overlay(row.picture, HEAT / 2, 0.4)) and not np.array_equal(one, half)
    louder = Row("louder", GREY, [("red", HEAT * 2)])
    assert "from 0 to 0.8<" in page("a", [row, louder]) and "0.4" not in page("a", [row, louder])
    apart = page("a", [row], details=[louder])
    assert apart.index("from 0 to 0.4<") < apart.index("from 0 to 0.8<")
    alone, beside = (np.asarray(strip(each)) for each in ([row], [row, louder]))
    assert not np.array_equal(alone[44:150, 176:336], beside[44:150, 176:336])


def test_the_page_is_whole_and_needs_no_network():
    markup = page(NASTY, rows(), [("steps", "20"), ("layers", "2")])
    parser = Balance()
    parser.feed(markup)
    assert not parser.open and "<b>'" not in markup
    assert not re.search(r"https?://|<script|<link|@import|url\(", markup)
    sources = re.findall(r'<img[^>]*src="([^"]*)"', markup)
    assert len(sources) == 8 and all(source.startswith("data:image/png;base64,") for source in sources)
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(sources[2].split(",")[1]))))
    assert np.array_equal(shown, overlay(rows()[0].picture, HEAT, 0.4))
    assert "from 0 to 0.4<" in markup and "<h2>after</h2>" in markup and ">blue<" in markup


def test_the_strip_holds_every_picture(tmp_path):
    image = strip(rows())
    image.save(tmp_path / "look.png")
    assert Image.open(tmp_path / "look.png").size == image.size == (8 + 3 * 168, 8 + 2 * (44 + 107) + 26)
    array = np.asarray(image)
    first = np.asarray(Image.fromarray(rows()[0].picture).resize((160, 107), Image.Resampling.NEAREST))
    assert np.array_equal(array[44 : 44 + 107, 8:168], first)
    assert (array[8:26] < 128).any()  # the title is written
    assert strip([]).size == (8, 8)


def test_a_long_caption_is_cut_to_its_picture():
    word = "Donaudampfschifffahrtsgesellschaft" * 3
    array = np.asarray(strip([Row("a", GREY, [(word, HEAT)])]))
    assert (array[26:44, 176:336] < 200).any() and (array[26:44, 337:] == 255).all()


def test_signs_that_the_font_lacks_are_written_by_others():
    assert written("8 × 8, rows 0–3, é, ␣a → …") == "8 x 8, rows 0-3, e, _a -> …"
    assert written("漢\n") == "??"
