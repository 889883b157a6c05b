"""Raw images as pixels: channels, depths, sizes; and the convolutional stem."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizers.conv_stem import ConvStem
from mmattn.tokenizers.pixels import augmented, pair, pixels_of, unit
from tests.tokenizers.examples import picture

COLOUR = np.array(picture(5, 7))


def pixels(value, channels=3, resize=None):
    return pixels_of(Sample("x", value), channels, resize)


@pytest.mark.parametrize(
    "value",
    [
        Image.fromarray(COLOUR),
        COLOUR,
        torch.from_numpy(COLOUR).permute(2, 0, 1),
        Image.fromarray(np.dstack([COLOUR, np.full((5, 7), 255, np.uint8)])),
    ],
    ids=["image", "array", "tensor", "opaque"],
)
def test_all_kinds_of_an_image_are_the_same_pixels(value):
    out = pixels(value)
    assert out.dtype == torch.uint8 and out.is_contiguous()
    assert np.array_equal(out.permute(1, 2, 0).numpy(), COLOUR)


def test_grey_is_pils_grey():
    image = picture(30, 30)
    ours = pixels(np.array(image), 1)[0].int()
    assert (ours - torch.from_numpy(np.array(image.convert("L"))).int()).abs().max() <= 1
    floats = pixels(np.array(image) / 255, 1)[0] * 255
    assert (floats - ours).abs().max() < 0.51


@pytest.mark.parametrize("alpha", [0, 51, 255])
def test_what_is_transparent_shows_white(alpha):
    out = pixels(Image.new("RGBA", (1, 1), (100, 0, 200, alpha)))[:, 0, 0]
    expected = [round(255 + (colour - 255) * alpha / 255) for colour in (100, 0, 200)]
    assert max(abs(a - b) for a, b in zip(out.tolist(), expected, strict=True)) <= 1


def test_a_palette_with_a_transparent_colour():
    image = Image.new("P", (1, 1), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    assert pixels(image)[:, 0, 0].tolist() == [10, 20, 30]
    image.info["transparency"] = 1
    assert pixels(image)[:, 0, 0].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("resize", "size"), [(10, (10, 14)), (5, (5, 7)), ([10, 4], (10, 4)), ((1, 1), (1, 1)), (None, (5, 7))]
)
def test_a_size_is_the_shorter_side_or_both(resize, size):
    out = pixels(COLOUR, resize=resize)
    assert out.shape == (3, *size) and out.dtype == torch.uint8
    assert abs(out.float().mean() - COLOUR.mean()) < 6


def test_a_change_of_channels_that_means_nothing_is_named():
    with pytest.raises(BadSample, match="x: has 2 channels, and tokenizer.channels is 3"):
        pixels(np.zeros((4, 4, 2), np.uint8))


@pytest.mark.parametrize("value", [0, [4], [4, 0], (1, 2, 3), -1])
def test_a_size_that_cannot_be_is_named(value):
    with pytest.raises(ConfigError, match=r"tokenizer.resize=.* must be a whole number of at least 1, or two of them"):
        pair("resize", value)
    assert pair("patch", 3) == (3, 3) and pair("patch", [1, 2]) == (1, 2)


def test_eight_bits_fill_the_unit_interval():
    ends = torch.tensor([0, 255], dtype=torch.uint8)
    assert unit(ends, torch.float64).tolist() == [0, 1] and unit(ends, torch.float64).dtype == torch.float64
    assert unit(torch.tensor([0.5], dtype=torch.float64), torch.float32).tolist() == [0.5]


@pytest.mark.parametrize("value", [COLOUR, picture(5, 7), COLOUR[..., 0]], ids=["array", "image", "grey"])
def test_transforms_apply_in_order_to_a_copy(value):
    before = np.array(value)
    sample = Sample("x", value)
    flip, crop = v2.RandomHorizontalFlip(1.0), v2.CenterCrop((5, 3))
    out = pixels(augmented(sample, [flip, crop], torch.Generator()).value)
    assert torch.equal(out, pixels(before[:, ::-1][:, 2:5].copy()))
    assert np.array_equal(np.array(value), before) and augmented(sample, [], torch.Generator()) is sample


@pytest.mark.parametrize("patch", [(1, 1), (2, 8), (3, 5), (6, 4), (16, 16)])
def test_a_stem_has_one_token_a_patch_and_knows_no_batch_mate(patch):
    torch.manual_seed(0)
    stem = ConvStem(3, 16, patch).double()
    images = torch.randn(2, 3, 2 * patch[0], 3 * patch[1], dtype=torch.float64)
    out = stem(images)
    assert out.shape == (2, 16, 2, 3)
    torch.testing.assert_close(out[:1], stem(images[:1]))
    assert stem[-1].out_channels == 16 and stem[0].in_channels == 3
