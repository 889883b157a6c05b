"""Images as the cells of a feature map, from any backbone of timm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import timm
import torch
from torch import Tensor, nn

from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.sequence import Side, TokenSequence
from mmattn.tokenizer import Batch, Prepared, pad, token_info
from mmattn.tokenizers.pixel_tokenizer import PixelTokenizer
from mmattn.tokenizers.pixels import unit
from mmattn.tokenizers.timm_backbone import TimmBackbone


class TimmTokenizer(PixelTokenizer):
    """One token a cell of the feature map; images of one size go through the backbone at once.

    Tokens do not depend on batch mates in evaluation mode; a trainable backbone with batch norm mixes them in training.

    Args:
        model: a name of `timm.list_models()`.
        pretrained: load timm's published weights (a download unless cached). weights: load this file instead.
        trainable: false keeps the backbone as loaded, in evaluation mode and without gradients.
        out_index: which of the backbone's feature maps; -1 is the last.

    The other arguments are `PixelTokenizer`'s; published weights bring their own mean and std. Weights are loaded by
    `fit`; a run folder brings its own.
    """

    local = False

    def __init__(
        self,
        dim: int,
        *,
        model: str = "resnet18",
        pretrained: bool = False,
        weights: str | None = None,
        trainable: bool = True,
        out_index: int = -1,
        **arguments: Any,
    ) -> None:
        super().__init__(dim, **arguments)
        if pretrained and weights is not None:
            raise ConfigError("tokenizer.pretrained=true and tokenizer.weights exclude each other: give one.")
        self.model, self.pretrained, self.weights = model, pretrained, weights
        self.loaded = not pretrained and weights is None
        self.backbone = TimmBackbone(model, self.channels, out_index, trainable)
        self.projection = nn.Linear(self.backbone.width, dim)

    def fit(self, samples: Sequence[Sample]) -> None:
        if self.pretrained:
            self.backbone.load_published()
        elif self.weights is not None:
            self.backbone.load_file(self.weights)
        self.loaded = True
        published = timm.get_pretrained_cfg(self.model)
        if self.pretrained and published is not None and self.channels == 3 and not self.standardize.given:
            self.standardize.restore_state({"mean": published.mean, "std": published.std})
        else:
            super().fit(samples)

    def restore_state(self, state: Any) -> None:
        super().restore_state(state)
        self.loaded = True  # the checkpoint holds the backbone's weights

    def prepare(self, sample: Sample) -> Prepared:
        """`pixels` (channels, height, width) and the feature map's `grid`, rows and columns."""
        pixels = self.pixels(sample)
        try:
            grid = self.backbone.grid(*pixels.shape[1:])
        except (AssertionError, RuntimeError) as error:
            size = f"{pixels.shape[1]}×{pixels.shape[2]} pixels"
            raise BadSample(
                sample.name, f"has {size}, which {self.model} cannot take ({error}); set tokenizer.resize"
            ) from error
        return {"pixels": pixels, "grid": torch.tensor(grid)}

    def count(self, prepared: Prepared) -> int:
        return int(prepared["grid"].prod())

    def stack(self, prepared: Sequence[Prepared], side: Side) -> Batch:
        """`images`: one tensor for each size of image; `rows`: the batch rows of each, on the host."""
        groups: dict[Any, list[int]] = {}
        for row, each in enumerate(prepared):
            groups.setdefault((each["pixels"].shape, each["pixels"].dtype), []).append(row)
        images = tuple(torch.stack([prepared[row]["pixels"] for row in rows]) for rows in groups.values())
        places = [torch.cartesian_prod(*map(torch.arange, each["grid"].tolist())) for each in prepared]
        return {"images": images, "rows": tuple(map(tuple, groups.values())), "coordinates": pad(places, side)}

    def embed(self, batch: Batch) -> TokenSequence:
        if not self.loaded:
            raise ConfigError("the weights of TimmTokenizer are not loaded yet: call fit or restore_state.")
        tokens: dict[int, Tensor] = {}
        for images, rows in zip(batch["images"], batch["rows"], strict=True):
            cells = self.feature_map(images).flatten(2).transpose(1, 2)
            tokens |= zip(rows, self.projection(cells), strict=True)
        x = pad([tokens[row] for row in range(len(tokens))], batch["layout"].side)
        return TokenSequence(x, token_info(batch, coordinates=batch["coordinates"])).zero_padding()

    def feature_map(self, images: Tensor) -> Tensor:
        """Raw images (batch, channels, height, width) → features (batch, feature channels, rows, columns)."""
        images = unit(images, self.projection.weight.dtype)
        images = self.standardize(images.flatten(2)).view_as(images)
        return self.backbone(images)

    def describe(self, prepared: Prepared, index: int) -> str:
        rows, columns = prepared["grid"].tolist()
        return f"cell {index // columns}, {index % columns} of {rows} × {columns}"
