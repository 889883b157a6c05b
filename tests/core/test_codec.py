"""Content goes into a backbone and out again, patch by patch, at any size of patches and pictures."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mmattn import ConfigError, TokenInfo
from mmattn.heads import GridCodec, LinearCodec
from mmattn.heads.codec import halvings
from mmattn.tokenizers.image import ImageTokenizer
from mmattn.tokenizers.text import ByteTokenizer


def facts(rows, columns, batch=2):
    places = torch.cartesian_prod(torch.arange(rows), torch.arange(columns))
    return TokenInfo.from_lengths([len(places)] * batch, coordinates=places.expand(batch, -1, -1))


@pytest.mark.parametrize("patch", [(4, 4), (8, 8), (2, 2), (1, 1), (3, 3), (6, 4)], ids=str)
def test_content_keeps_its_shape_and_each_pixel_its_place(patch):
    torch.manual_seed(0)
    codec = GridCodec(16, ImageTokenizer(16, patch=patch), None, width=4).double()
    info, size = facts(3, 2), 3 * patch[0] * patch[1]
    content = torch.randn(2, 6, size, dtype=torch.float64, requires_grad=True)
    tokens, kept = codec.enter(content, info)
    assert tokens.shape == (2, 6, 16)
    out = codec.leave(tokens, kept)
    assert out.shape == content.shape
    # One pixel of the first patch is felt in its own patch, and not in that of another picture.
    (gradient,) = torch.autograd.grad(out[0, 0].square().sum(), content)
    assert gradient[0, 0].abs().max() > 0 and gradient[1].abs().max() == 0


def test_neighbouring_patches_are_neighbours_in_the_picture():
    codec = GridCodec(8, ImageTokenizer(8, patch=2), None, width=4)
    content = torch.arange(2 * 3 * 12.0).view(1, 6, 12)
    picture = codec._picture(content, facts(2, 3, 1))
    assert picture.shape == (1, 3, 4, 6)
    assert picture[0, 0, :2, 2:4].flatten().tolist() == content[0, 1, :4].tolist()  # the second patch, its red
    assert picture[0, 2, 2:, :2].flatten().tolist() == content[0, 3, 8:].tolist()  # the fourth one, its blue


def test_strides_lead_from_pixels_to_patches():
    assert halvings(4, 4) == [(2, 2)] * 2 and halvings(1, 1) == [(1, 1)] and halvings(3, 3) == [(3, 3)]
    assert halvings(6, 4) == [(2, 2), (3, 2)] and halvings(8, 1) == [(2, 1)] * 3


def test_what_is_no_grid_of_one_size_is_refused():
    codec = GridCodec(8, ImageTokenizer(8, patch=2), None, width=4)
    info = facts(2, 2)
    ragged = replace(info, document=info.document.index_fill(1, torch.tensor(3), -1), known_layout=None)
    with pytest.raises(ConfigError, match=r"batches of pictures of one size: set tokenizer.parts.image.resize"):
        codec.enter(torch.zeros(2, 4, 12), ragged)
    for kind in (GridCodec, LinearCodec):
        with pytest.raises(ConfigError, match="continuous tokens, and ByteTokenizer has none"):
            kind(8, ByteTokenizer(8), None)


def test_a_matrix_does_for_any_continuous_tokens():
    codec = LinearCodec(16, ImageTokenizer(16, patch=2), None)
    tokens, kept = codec.enter(torch.randn(2, 5, 12), facts(1, 5))
    assert tokens.shape == (2, 5, 16) and codec.leave(tokens, kept).shape == (2, 5, 12)
