"""Images of any size and aspect ratio as patches."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmattn.data.source import Sample
from mmattn.report.pictures import pixels
from mmattn.sequence import Side, TokenSequence
from mmattn.tokenizer import Batch, Prepared, pad, token_info
from mmattn.tokenizers.pixel_tokenizer import PixelTokenizer
from mmattn.tokenizers.pixels import pair, unit

Stem = Callable[..., nn.Module]


class ImageTokenizer(PixelTokenizer):
    """One token a patch (ViT, Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929), read row by row.

    A batch holds patches, not images, so images of all sizes share it and no canvas leaks into them. A side that is not
    a multiple of the patch is padded with black at the right and bottom, never cropped. A patch's values are in the
    order (channel, row, column), so `projection.weight` is a patch convolution's, flattened.

    Args:
        patch: side of a patch in pixels, or [height, width].
        stem: called with (channels, dim, patch), gives the module that replaces the projection, e.g. `ConvStem`; it
            sees across patches, so masked modelling needs `stem: null`.

    The other arguments are `PixelTokenizer`'s.
    """

    def __init__(
        self, dim: int, *, patch: int | Sequence[int] = 16, stem: Stem | None = None, **arguments: Any
    ) -> None:
        super().__init__(dim, **arguments)
        self.patch = pair("patch", patch)
        self.local = stem is None
        self.projection: nn.Module
        if stem is None:
            self.content_size = self.channels * math.prod(self.patch)
            self.projection = nn.Linear(self.content_size, dim)
        else:
            self.projection = stem(channels=self.channels, dim=dim, patch=self.patch)

    def prepare(self, sample: Sample) -> Prepared:
        """`patches` (rows × columns, channels × patch height × patch width), their `grid`, `size` of the image."""
        pixels = self.pixels(sample)
        channels, height, width = pixels.shape
        rows, columns = -(-height // self.patch[0]), -(-width // self.patch[1])
        below, right = rows * self.patch[0] - height, columns * self.patch[1] - width
        if below or right:
            pixels = nn.functional.pad(pixels, (0, right, 0, below))
        patches = pixels.view(channels, rows, self.patch[0], columns, self.patch[1]).permute(1, 3, 0, 2, 4)
        grid, size = torch.tensor([rows, columns]), torch.tensor([height, width])
        return {"patches": patches.reshape(rows * columns, -1), "grid": grid, "size": size}

    def count(self, prepared: Prepared) -> int:
        return len(prepared["patches"])

    def stack(self, prepared: Sequence[Prepared], side: Side) -> Batch:
        grids = [tuple(each["grid"].tolist()) for each in prepared]
        patches = [each["patches"] for each in prepared]
        if len({each.dtype for each in patches}) > 1:
            patches = [unit(each, torch.float32) for each in patches]
        batch = {"patches": pad(patches, side), "coordinates": pad([_places(*grid) for grid in grids], side)}
        return batch if self.local else {**batch, "grids": tuple(grids)}  # on the host: grouping must not synchronise

    def content(self, batch: Batch) -> Tensor:
        """Standardized patches (batch, length, channels × patch height × patch width)."""
        patches = unit(batch["patches"], next(self.projection.parameters()).dtype)
        patches = self.standardize(patches.unflatten(-1, (self.channels, -1))).flatten(-2)
        return patches * token_info(batch).real[..., None]

    def embed(self, batch: Batch) -> TokenSequence:
        patches = self.content(batch)
        x = self.projection(patches) if self.local else self._convolved(patches, batch)
        return TokenSequence(x, token_info(batch, coordinates=batch["coordinates"])).zero_padding()

    def _convolved(self, patches: Tensor, batch: Batch) -> Tensor:
        """The stem's tokens (batch, length, dim), each group of images of one size convolved at once."""
        grids, side = batch["grids"], batch["layout"].side
        tokens: dict[int, Tensor] = {}
        for grid in set(grids):
            members = [i for i, each in enumerate(grids) if each == grid]
            count = math.prod(grid)
            start = patches.shape[1] - count if side == "left" else 0
            images = torch.stack([self.image(patches[i, start : start + count], grid) for i in members])
            tokens |= zip(members, self.projection(images).flatten(2).transpose(1, 2), strict=True)
        return pad([tokens[i] for i in range(len(grids))], side)

    def image(self, patches: Tensor, grid: tuple[int, int]) -> Tensor:
        """Patches (rows × columns, values) put together: (channels, height, width)."""
        blocks = patches.view(*grid, self.channels, *self.patch).permute(2, 0, 3, 1, 4)
        return blocks.reshape(self.channels, grid[0] * self.patch[0], grid[1] * self.patch[1])

    def restore(self, ids_or_tokens: Tensor, grid: tuple[int, int] | None = None) -> Tensor:
        """Standardized patches (rows × columns, values) to pixels (channels, height, width) in [0, 1].

        `grid` is (rows, columns), by default a square. Raises `ValueError` for patches that form none.
        """
        side = math.isqrt(len(ids_or_tokens))
        grid = grid or (side, side)
        if math.prod(grid) != len(ids_or_tokens):
            raise ValueError(f"{len(ids_or_tokens)} patches do not form a grid of {grid[0]} × {grid[1]}; give the grid")
        image = self.image(ids_or_tokens, grid)
        return self.standardize.inverse(image.flatten(1)).view_as(image).clamp(0, 1)

    def picture(self, content: Tensor, prepared: Prepared) -> np.ndarray:
        height, width = prepared["size"].tolist()
        return pixels(self.restore(content, tuple(prepared["grid"].tolist()))[:, :height, :width].cpu().numpy())

    def describe(self, prepared: Prepared, index: int) -> str:
        """The patch's rectangle in pixels, counted from 0, without the padding."""
        (_, columns), size = prepared["grid"].tolist(), prepared["size"].tolist()
        first = [place * side for place, side in zip(divmod(index, columns), self.patch, strict=True)]
        last = [min(start + side, end) - 1 for start, side, end in zip(first, self.patch, size, strict=True)]
        return f"rows {first[0]}–{last[0]}, columns {first[1]}–{last[1]}"


@lru_cache(maxsize=1024)
def _places(rows: int, columns: int) -> Tensor:
    """(rows × columns, 2): the row and column of each patch."""
    return torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).view(-1, 2)
