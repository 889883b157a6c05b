"""A backbone of timm that gives one feature map, frozen or trained."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from mmattn.errors import ConfigError, nearest


class TimmBackbone(nn.Module):
    """Images (batch, channels, height, width) → feature map (batch, width, rows, columns).

    Args:
        model: a name of `timm.list_models()`.
        out_index: which of its feature maps; -1 is the last.
        trainable: false keeps it in evaluation mode and without gradients.

    Raises `ConfigError` for an unknown name and for a model without such a map.
    """

    def __init__(self, model: str, channels: int, out_index: int = -1, trainable: bool = True) -> None:
        super().__init__()
        if not timm.is_model(model):
            raise ConfigError(f"tokenizer.model={model} is not a model of timm.{nearest(model, timm.list_models())}")
        self.model, self.channels, self.out_index, self.trainable = model, channels, out_index, trainable
        try:
            self.features = self._create()
        except (AttributeError, AssertionError, IndexError, RuntimeError) as error:  # what timm raises for these
            raise ConfigError(
                f"tokenizer.model={model} gives no feature map {out_index} of {channels} channels ({error})."
            ) from error
        self.width: int = self.features.feature_info.channels()[0]
        self.channels_last = str(getattr(self.features, "output_fmt", "")).endswith("NHWC")
        self.requires_grad_(trainable)
        self.train()
        self._shapes = Shapes(self)

    def _create(self, **loading: Any) -> Any:
        return timm.create_model(
            self.model, features_only=True, out_indices=(self.out_index,), in_chans=self.channels, **loading
        )

    def train(self, mode: bool = True) -> TimmBackbone:
        super().train(mode and self.trainable)  # frozen batch norm must keep its statistics
        return self

    def forward(self, images: Tensor) -> Tensor:
        with torch.set_grad_enabled(self.trainable and torch.is_grad_enabled()):
            features = self.features(images)[0]
        return features.permute(0, 3, 1, 2) if self.channels_last else features

    def grid(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns of an image's map. Raises `RuntimeError` or `AssertionError` for a size it cannot take."""
        return self._shapes.grid(height, width)

    def load_published(self) -> None:
        """timm's own weights. Raises `ConfigError` where they cannot be had."""
        try:
            source = self._create(pretrained=True)
        except Exception as error:  # each hub client has its own
            raise ConfigError(
                f"the published weights of tokenizer.model={self.model} cannot be had ({error}); "
                "give tokenizer.weights a file, or tokenizer.pretrained=false."
            ) from error
        self.features.load_state_dict(source.state_dict())

    def load_file(self, path: str) -> None:
        """Weights of the whole model (a classifier is left out). Raises `ConfigError` where they do not fit."""
        if not Path(path).is_file():
            raise ConfigError(f"tokenizer.weights={path} is not there: give a file of timm weights, or null.")
        whole = timm.create_model(self.model, num_classes=0, in_chans=self.channels)
        try:
            loaded = timm.models.load_state_dict(path, weights_only=True)
            missing = whole.load_state_dict(loaded, strict=False).missing_keys
        except Exception as error:  # torch.load has no error of its own
            raise ConfigError(f"tokenizer.weights={path} does not fit {self.model} ({error}).") from error
        if missing:
            lacks = f"{missing[0]} and {len(missing) - 1} more"
            raise ConfigError(f"tokenizer.weights={path} does not fit {self.model}: it lacks {lacks}.")
        source = self._create(pretrained=True, pretrained_cfg_overlay={"state_dict": dict(whole.state_dict())})
        self.features.load_state_dict(source.state_dict())


class Shapes:
    """Sizes of feature maps, from a copy of the backbone without numbers; no module, so that it stays where it is."""

    def __init__(self, backbone: TimmBackbone) -> None:
        self.backbone = copy.deepcopy(backbone).to("meta").eval()
        self.known: dict[tuple[int, int], tuple[int, int]] = {}

    def grid(self, height: int, width: int) -> tuple[int, int]:
        if (height, width) not in self.known:
            with torch.no_grad():
                features = self.backbone(torch.empty(1, self.backbone.channels, height, width, device="meta"))
            self.known[height, width] = (features.shape[2], features.shape[3])
        return self.known[height, width]
