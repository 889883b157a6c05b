"""Heat maps on a grid, the pointing game, and labels, on records that are made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mmattn import ConfigError, Full, TokenInfo, Visibility
from mmattn.data.source import Sample
from mmattn.lens import Mean, Record, heat_map, labels, pointing
from mmattn.tokenizers.image import ImageTokenizer
from mmattn.tokenizers.words import WordTokenizer

GRID = torch.cartesian_prod(torch.arange(2), torch.arange(3))  # two rows of three patches


def patches(lengths=(6, 6), side="right"):
    """Patches of a 2 × 3 grid after one token without a place."""
    places = torch.cat([torch.full((1, 2), -1), GRID])
    info = TokenInfo.from_lengths([each + 1 for each in lengths], length=7, side=side)
    return replace(info, coordinates=places[info.order])


def reading(places, keys=4):
    """A record in which patch i reads key places[i] with a score of 20, and the token in front reads all."""
    scores = torch.zeros(2, 2, 7, keys, dtype=torch.float64)
    for patch, key in enumerate(places):
        scores[:, :, 1 + patch, key] = 20.0
    info = patches()
    seen = Visibility(Full(), info, TokenInfo.from_lengths([keys, keys]))
    key = torch.eye(keys, dtype=torch.float64).expand(2, 2, -1, -1)
    return info, Record("made", 0, scores, key, seen, 1.0, None, torch.arange(2), 2)


def test_a_words_map_shows_where_it_is_read():
    info, record = reading([0, 1, 1, 2, 3, 3])
    mean = Mean()
    mean(record)
    close = {"atol": 1e-7, "rtol": 0}
    word = heat_map(mean.value, info, keys=[1])
    torch.testing.assert_close(word, torch.tensor([[0.0, 1, 1], [0, 0, 0]], dtype=torch.float64), **close)
    two = heat_map(mean.value, info, keys=[0, 3], row=1)  # a word of two tokens: their mean
    torch.testing.assert_close(two, torch.tensor([[0.5, 0, 0], [0, 0.5, 0.5]], dtype=torch.float64), **close)
    every = sum(heat_map(mean.value, info, keys=key) for key in range(4))
    torch.testing.assert_close(every, torch.ones(2, 3, dtype=torch.float64), **close)


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_is_left_out_and_a_place_without_a_token_is_nan(side):
    info = patches((6, 2), side)
    weights = torch.arange(2 * 7.0).view(2, 7, 1)
    heat = heat_map(weights, info, keys=0, row=1)
    first = 4 if side == "left" else 0
    assert heat.tolist() == [[7.0 + first + 1, 7.0 + first + 2]]
    some = heat_map(weights, info, keys=0, queries=[6, 2])
    assert some.shape == (2, 3) and some.isnan().sum() == 4 and [some[1, 2], some[0, 1]] == [6.0, 2.0]


def test_pointing_asks_whether_the_maximum_lies_inside():
    heat = torch.tensor([[0.1, 0.2, 0.3], [0.0, 0.9, 0.1]])
    assert pointing(heat, [(1, 1, 2, 2)]) == (True, 1 / 6)
    assert pointing(heat, [(0, 0, 1, 3)]) == (False, 0.5)
    assert pointing(heat, [(0, 0, 1, 3), (0.4, 0.9, 2, 2)]) == (True, 4 / 6)  # they overlap in one place
    assert pointing(heat, []) == (False, 0.0)
    assert pointing(heat, [(0, 0, 2, 3)]) == (True, 1.0)
    assert not pointing(torch.ones(2, 3), [(0, 0, 2, 2)]).hit  # a flat map points nowhere
    heat[0, 0] = torch.nan
    assert pointing(heat, [(0, 0, 2, 1)]) == (False, 0.2)


def test_chance_is_how_often_random_maps_point_inside():
    generator, boxes = torch.Generator().manual_seed(0), [(0, 0, 3, 2), (2, 1, 4, 4)]
    found = [pointing(torch.rand(5, 4, generator=generator), boxes) for _ in range(600)]
    assert abs(sum(each.hit for each in found) / 600 - found[0].chance) < 0.06


def test_labels_are_the_tokenizers_own_behind_the_prefix():
    image = ImageTokenizer(8, channels=1, patch=2, prefix=1, mean=0.0, std=1.0)
    prepared = image.prepare(Sample("grey", torch.zeros(1, 4, 6)))
    assert labels(image, prepared)[:2] == ["prefix 1", "rows 0–1, columns 0–1"]
    assert len(labels(image, prepared)) == image.length(prepared) == 7
    text = WordTokenizer(8)
    text.fit([Sample("a", "a red car"), Sample("b", "a red car")])
    assert labels(text, text.prepare(Sample("b", "red car")))[-2:] == ["red", "car"]


def test_errors_say_what_is_missing():
    info, weights = patches(), torch.ones(2, 7, 4)
    with pytest.raises(ConfigError, match=r"\(batch, 7 queries, keys\) .* got \(2, 6, 4\)"):
        heat_map(weights[:, 1:], info, keys=0)
    with pytest.raises(ConfigError, match="one coordinate axis"):
        heat_map(weights, TokenInfo.from_lengths([7, 7]), keys=0)
    with pytest.raises(ConfigError, match="keys=4 does not exist: the map has 4 keys"):
        heat_map(weights, info, keys=4)
    with pytest.raises(ConfigError, match="of 0 queries that have a place and 1 keys"):
        heat_map(weights, info, keys=0, queries=0)
    with pytest.raises(ConfigError, match="of 6 queries that have a place and 0 keys"):
        heat_map(weights, info, keys=[])
    with pytest.raises(ConfigError, match="Several queries stand at one place"):
        heat_map(weights, replace(info, coordinates=info.coordinates.clamp(max=1)), keys=0)
    with pytest.raises(ConfigError, match="without a single weight"):
        pointing(torch.full((2, 2), torch.nan), [])
