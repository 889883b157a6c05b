from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.transforms import v2

from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizers.conv_stem import ConvStem
from mmattn.tokenizers.image import ImageTokenizer
from mmattn.tokenizers.pixels import pixels_of
from tests.tokenizers.examples import picture

SIZES = st.lists(st.tuples(st.integers(1, 20), st.integers(1, 20)), min_size=1, max_size=4)


def tokenizer_of(**arguments: Any) -> ImageTokenizer:
    return ImageTokenizer(8, **{"patch": 4, "mean": 0.4, "std": 0.2, **arguments})


def test_projection_is_a_patch_convolution() -> None:
    tokenizer = tokenizer_of(patch=[4, 6]).double()
    prepared = tokenizer.prepare(Sample("x", picture(8, 12)))
    image = torch.from_numpy(np.array(picture(8, 12))).permute(2, 0, 1).double() / 255
    weight = tokenizer.projection.weight.view(8, 3, 4, 6)
    want = torch.nn.functional.conv2d((image[None] - 0.4) / 0.2, weight, tokenizer.projection.bias, stride=(4, 6))
    tokens = tokenizer(tokenizer.collate([prepared]))
    torch.testing.assert_close(tokens.embeddings, want.flatten(2).transpose(1, 2), rtol=0, atol=1e-6)
    assert tokens.info.coordinates[0].tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


@given(SIZES, st.sampled_from(["left", "right"]), st.sampled_from([None, ConvStem]))
@settings(max_examples=40, deadline=None)
def test_sizes_share_a_batch_without_leaking(sizes: list[tuple[int, int]], side: str, stem: Any) -> None:
    tokenizer = tokenizer_of(stem=stem).double()
    prepared = [tokenizer.prepare(Sample("x", picture(*size, seed=i))) for i, size in enumerate(sizes)]
    together = tokenizer(tokenizer.collate(prepared, side))
    for row, each in enumerate(prepared):
        alone = tokenizer(tokenizer.collate([each])).embeddings[0]
        real = together.info.real[row]
        torch.testing.assert_close(together.embeddings[row][real], alone, rtol=0, atol=1e-6)
        assert not together.embeddings[row][~real].any()


@given(st.integers(1, 20), st.integers(1, 20))
def test_restore_gives_the_padded_image(height: int, width: int) -> None:
    tokenizer = tokenizer_of()
    batch = tokenizer.collate([tokenizer.prepare(Sample("x", picture(height, width)))])
    grid = (-(-height // 4), -(-width // 4))
    image = tokenizer.restore(tokenizer.content(batch)[0], grid)
    want = torch.from_numpy(np.array(picture(height, width))).permute(2, 0, 1) / 255
    torch.testing.assert_close(image[:, :height, :width], want, rtol=0, atol=1e-6)
    assert image.shape[1:] == (grid[0] * 4, grid[1] * 4)
    assert float(image[:, height:].sum() + image[:, :, width:].sum()) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("patch", [1, 3, 6, [4, 2], 16])
def test_conv_stem_reaches_any_patch(patch: Any) -> None:
    tokenizer = tokenizer_of(patch=patch, stem=ConvStem)
    prepared = tokenizer.prepare(Sample("x", picture(17, 30)))
    assert tokenizer(tokenizer.collate([prepared])).embeddings.shape == (1, tokenizer.count(prepared), 8)
    assert not tokenizer.local
    assert tokenizer_of().local


def test_describe_names_the_rectangle() -> None:
    tokenizer = tokenizer_of(patch=[8, 4])
    prepared = tokenizer.prepare(Sample("x", picture(12, 8)))
    assert [tokenizer.describe(prepared, i) for i in (0, 3)] == ["rows 0–7, columns 0–3", "rows 8–11, columns 4–7"]


def test_fit_measures_each_channel() -> None:
    tokenizer = ImageTokenizer(8, patch=4)
    with pytest.raises(ConfigError, match="knows no mean and deviation yet: call fit"):
        tokenizer(tokenizer.collate([tokenizer.prepare(Sample("x", picture(8, 8)))]))
    images = [picture(8, 12, seed=i) for i in range(3)]
    tokenizer.fit([Sample("x", image) for image in images])
    values = np.concatenate([np.array(image).reshape(-1, 3) for image in images]) / 255
    assert tokenizer.state()["mean"] == pytest.approx(values.mean(0).tolist(), abs=1e-6)
    assert tokenizer.state()["std"] == pytest.approx(values.std(0).tolist(), abs=1e-6)


def test_modes_are_converted_explicitly() -> None:
    def first(image: Any, channels: int) -> list[float]:
        return [round(float(value), 4) for value in pixels_of(Sample("x", image), channels)[:, 0, 0]]

    clear = Image.new("RGBA", (2, 2), (10, 20, 30, 0))
    assert first(clear, 3) == [255, 255, 255]  # the hidden colour of a transparent pixel does not appear
    assert first(Image.new("L", (2, 2), 7), 3) == [7, 7, 7]
    assert (
        first(Image.new("RGB", (2, 2), (255, 0, 0)), 1) == first(np.full((2, 2, 3), (255, 0, 0), np.uint8), 1) == [76]
    )
    assert first(Image.new("1", (2, 2), 1), 1) == [255]
    assert first(Image.new("CMYK", (2, 2)), 3) == [255, 255, 255]
    assert first(Image.fromarray(np.full((2, 2), 65535, np.uint16)), 1) == [1]
    assert first(np.full((2, 2), 0.25), 3) == [0.25] * 3
    assert first(torch.zeros(5, 2, 2, dtype=torch.uint8), 5) == [0] * 5


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("cat", "is a str, not an image"),
        (np.zeros((0, 3), np.uint8), "has shape .* and an image needs height and width of at least 1"),
        (np.full((2, 2), np.nan), "has pixels that are not finite"),
        (np.full((2, 2), 9.0), r"has float pixels from 9 to 9; scale them to \[0, 1\]"),
        (np.zeros((2, 2), np.int64), "has pixels of type torch.int64"),
        (np.zeros((2, 2, 5), np.uint8), "has 5 channels, and tokenizer.channels is 3"),
        (Image.new("F", (2, 2)), "has mode F .* give 8 or 16 bits"),
    ],
)
def test_bad_images(value: Any, fault: str) -> None:
    with pytest.raises(BadSample, match=rf"^photo 3: {fault}"):
        tokenizer_of().prepare(Sample("photo 3", value))


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"patch": 0}, "patch=0 must be a whole number of at least 1"),
        ({"patch": [4]}, "patch=.* or two of them"),
        ({"channels": 0}, "channels=0 must be at least 1"),
        ({"std": None}, "go together"),
        ({"mean": [0.1, 0.2]}, "must be one number or 3"),
        ({"std": 0}, "deviations above 0"),
    ],
)
def test_bad_configs(arguments: Any, fault: str) -> None:
    with pytest.raises(ConfigError, match=fault):
        tokenizer_of(**arguments)


def test_mixed_depths_share_a_batch() -> None:
    tokenizer = tokenizer_of(channels=1)
    pair = [np.full((4, 4), 51, np.uint8), np.full((4, 4), 0.2, np.float32)]
    tokens = tokenizer(tokenizer.collate([tokenizer.prepare(Sample("x", value)) for value in pair])).embeddings
    torch.testing.assert_close(tokens[0], tokens[1])


def test_resize() -> None:
    prepare = partial(tokenizer_of(resize=8).prepare, Sample("x", picture(16, 32)))
    assert prepare()["size"].tolist() == [8, 16]
    assert tokenizer_of(resize=[8, 8]).prepare(Sample("x", picture(16, 32)))["size"].tolist() == [8, 8]


@pytest.mark.parametrize("value", [picture(16, 16), np.array(picture(16, 16)), np.array(picture(16, 16, 1))])
def test_augment_follows_its_generator(value: Any) -> None:
    tokenizer = tokenizer_of(transforms=[v2.RandomCrop(16, padding=4), v2.RandomHorizontalFlip()])

    def variation(seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        return tokenizer.prepare(tokenizer.augment(Sample("x", value), generator))["patches"]

    assert torch.equal(variation(3), variation(3))
    assert len({variation(seed).numpy().tobytes() for seed in range(6)}) > 3


def test_read(tmp_path: Path) -> None:
    picture(9, 5).save(tmp_path / "a.png")
    (sample,) = tokenizer_of().read(tmp_path / "a.png")
    assert tokenizer_of().prepare(sample)["size"].tolist() == [9, 5]
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    with pytest.raises(BadSample, match="not a readable image"):
        tokenizer_of().read(tmp_path / "b.png")
