"""Raw samples of every kind that a tokenizer config may read, of unlike lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hydra import compose, initialize_config_module
from hydra.utils import instantiate
from PIL import Image

from mmattn.data.readers import Waveform
from mmattn.data.source import Sample

TEXTS = ["To be, or not to be", "that is the question:\n", "Whether 'tis nobler", "äöü ß — naïve", "b"]
PROTEINS = ["MKTVRQERLKSIVRILERSKEPVSG", "mktAYXBUZO", "W"]


def picture(height: int, width: int, channels: int = 3, seed: int = 0) -> Image.Image:
    shape = (height, width) if channels == 1 else (height, width, channels)
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


def tone(seconds: float, rate: int = 16000, channels: int = 1, hertz: float = 440) -> Waveform:
    time = torch.arange(round(seconds * rate)) / rate
    noise = torch.randn(channels, len(time), generator=torch.Generator().manual_seed(0)) * 0.01
    return Waveform(0.5 * torch.sin(2 * torch.pi * hertz * time) + noise, rate)


def samples_for(config: str) -> list[Sample]:
    """Raw samples for the config of this name."""
    values: dict[str, list[Any]] = {
        "text": TEXTS,
        "image": [picture(32, 48), picture(40, 33, seed=1), picture(32, 48, seed=2), picture(70, 20, seed=3)],
        "audio": [tone(0.3), tone(0.05, 8000), tone(0.7, channels=2)],
        "protein": PROTEINS,
        "several": [
            {"image": picture(32, 32 + 16 * i, seed=i), "text": text}
            for i, text in enumerate(["red", "a blue cross", "blue and red", "a"])
        ],
    }
    kind = KINDS.get(config, config)
    return [Sample(f"{kind} {i}", value) for i, value in enumerate(values[kind])]


KINDS = {
    **dict.fromkeys(("bpe", "characters", "words"), "text"),
    **dict.fromkeys(("image_conv", "patch_codebook", "timm"), "image"),
}
SMALL: dict[str, dict[str, Any]] = {"timm": {"model": "test_resnet"}, "patch_codebook": {"codes": 32, "bos": True}}


def build(config: str, **arguments: Any) -> Any:
    """The tokenizer of a config with `dim` 16, not fitted."""
    arguments = {**SMALL.get(config, {}), **arguments}
    with initialize_config_module("mmattn.conf", version_base=None):
        composed = compose(overrides=[f"+tokenizer={config}", "+backbone.dim=16"])
    return instantiate(composed.tokenizer, **arguments)
