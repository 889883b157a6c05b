"""Files as raw values; each file that cannot be read is named with its fault."""

from __future__ import annotations

import numpy
import pytest
import soundfile
import torch
from PIL import Image

from mmattn.data.readers import read_audio, read_fasta, read_image, read_text
from mmattn.errors import BadSample


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp"])
def test_an_image_keeps_its_pixels(tmp_path, suffix):
    pixels = numpy.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=numpy.uint8)
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(pixels).save(path, **({"lossless": True} if suffix == "webp" else {}))
    found = read_image(path)
    assert numpy.array_equal(numpy.asarray(found), pixels)
    path.unlink()
    assert found.getpixel((0, 0)) == tuple(pixels[0, 0])  # nothing is read later


@pytest.mark.parametrize(("suffix", "error"), [("wav", 1e-4), ("flac", 1e-4), ("ogg", 0.2)])
def test_a_sound_keeps_its_channels_rate_and_samples(tmp_path, suffix, error):
    time = numpy.arange(4000) / 8000
    both = numpy.stack([numpy.sin(2 * numpy.pi * 440 * time), 0.5 * numpy.cos(2 * numpy.pi * 220 * time)], 1)
    soundfile.write(tmp_path / f"a.{suffix}", 0.9 * both, 8000)
    found = read_audio(tmp_path / f"a.{suffix}")
    assert found.rate == 8000 and found.samples.shape == (2, 4000) and found.samples.dtype == torch.float32
    assert numpy.abs(found.samples.numpy().T - 0.9 * both).max() < error


@pytest.mark.parametrize("text", ["", "naïve — 日本 🙂", "a\tb\n\nc", "\ufeffmark"])
def test_a_text_is_read_as_it_stands(tmp_path, text):
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    assert read_text(tmp_path / "a.txt") == text


@pytest.mark.parametrize(
    ("read", "fault"),
    [
        (read_image, "is not a readable image"),
        (read_audio, "is not a readable sound file"),
        (read_text, "is not a readable UTF-8 text file"),
        (read_fasta, "is not a readable UTF-8 text file"),
    ],
)
@pytest.mark.parametrize("name", ["broken", "missing", "folder"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, read, fault, name):
    (tmp_path / "broken").write_bytes(b"\xff\xfe\xfd no such thing")
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadSample, match=f"/{name}: {fault} ") as caught:
        read(tmp_path / name)
    assert caught.value.name == str(tmp_path / name)


def test_a_truncated_image_is_noticed(tmp_path):
    Image.effect_noise((64, 64), 50).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:-500])
    with pytest.raises(BadSample, match="is not a readable image"):
        read_image(tmp_path / "a.png")


def test_an_image_too_large_to_decode_is_named(tmp_path, monkeypatch):
    Image.new("L", (10, 10)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 49)  # Pillow refuses twice as many
    with pytest.raises(BadSample, match=r"a\.png: is too large an image \(.*100 pixels.*\); scale it down"):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("text", "records"),
    [
        (">a\nMK\n", [("a", "MK")]),
        (">a x=1\nMK\nVL\n\n>b\nGG", [("a x=1", "MKVL"), ("b", "GG")]),
        (">a\r\nM K\tV\r\n", [("a", "MKV")]),
        ("; an old comment\n>a\nMK\n;another\nVL\n", [("a", "MKVL")]),
        ("\n\n>\nmk*-\n", [("", "mk*-")]),
        (">a\nMK\n>a\nVL\n", [("a", "MK"), ("a", "VL")]),
    ],
)
def test_fasta_records_are_headers_and_joined_lines(tmp_path, text, records):
    (tmp_path / "a.fa").write_bytes(text.encode())
    assert read_fasta(tmp_path / "a.fa") == records


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("MK\n>a\nVL\n", r"a.fa, line 1: text before the first '>' header; is this a FASTA file\?"),
        (">a\n>b\nVL\n", r"a.fa, record 'a': has a header and no sequence"),
        (">a\nMK\n>b\n;\n", r"a.fa, record 'b': has a header and no sequence"),
        ("\n", r"a.fa: holds no FASTA record"),
    ],
)
def test_what_is_no_fasta_is_named(tmp_path, text, fault):
    (tmp_path / "a.fa").write_text(text)
    with pytest.raises(BadSample, match=fault):
        read_fasta(tmp_path / "a.fa")
