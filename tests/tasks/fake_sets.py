"""Tiny data sets in the layouts of real ones, for experiments whose data is on disk."""

from __future__ import annotations

import numpy as np
import soundfile
from PIL import Image

CLASSES = {"sst2": 2, "trec": 6}


def idx(path, values):
    """An idx file of bytes."""
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    path.write_bytes(bytes([0, 0, 8, values.ndim]) + sizes + values.astype(np.uint8).tobytes())


def mnist(root):
    folder, random = root / "MNIST" / "raw", np.random.default_rng(0)
    folder.mkdir(parents=True)
    for prefix in ("train", "t10k"):
        idx(folder / f"{prefix}-images-idx3-ubyte", random.integers(0, 256, (40, 28, 28)))
        idx(folder / f"{prefix}-labels-idx1-ubyte", np.arange(40) % 10)


def fsdd(root):
    random = np.random.default_rng(0)
    for digit in range(10):
        for number in (0, 4, 5, 12, 30):
            soundfile.write(root / f"{digit}_theo_{number}.wav", random.normal(0, 0.1, 3000), 8000)


def sentences(classes):
    def write(root):
        for name in ("train", "valid", "test"):
            rows = [f"the {i}th question of kind {i % classes},{i % classes}" for i in range(6 * classes)]
            (root / f"{name}.csv").write_text("\n".join(["text,label", *rows]) + "\n")

    return write


def tinyshakespeare(root):
    (root / "input.txt").write_text("First Citizen:\nBefore we proceed any further, hear me speak.\n\n" * 100)


def amplify(root):
    random = np.random.default_rng(0)
    for name in ("AMP_train_common", "AMP_test_common", "non_AMP_train_balanced", "non_AMP_test_balanced"):
        peptides = ("".join(random.choice(list("ACDEFGHIKLMNPQRSTVWY"), 12)) for _ in range(20))
        (root / f"AMPlify_{name}.fa").write_text("".join(f">{i}\n{letters}\n" for i, letters in enumerate(peptides)))


def captions_folder(root):
    random = np.random.default_rng(0)
    for number in range(20):
        picture = Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        picture.save(root / f"{number}.png")
        (root / f"{number}.txt").write_text(f"noise of number {number}\n")


FAKES = {
    "amplify": amplify,
    "captions_folder": captions_folder,
    "fsdd": fsdd,
    "mnist": mnist,
    "sst2": sentences(2),
    "tinyshakespeare": tinyshakespeare,
    "trec": sentences(6),
}
"""By the name of the data's config."""
