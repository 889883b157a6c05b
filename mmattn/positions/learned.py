"""A learned vector for every place of a grid, added to the embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding, interpolate

from mmattn.errors import ConfigError, TooLong
from mmattn.positions.position import Position
from mmattn.positions.sinusoidal import placed
from mmattn.sequence import TokenInfo

MODES = {1: "linear", 2: "bicubic", 3: "trilinear"}
UNREAD = {"cuda", "meta"}  # where reading a value on the host would wait, or cannot be


class Learned(Position):
    """A table of width `dim` over `grid` places, e.g. [1024] for text, [8, 8] for an image of 8 × 8 patches.

    A checkpoint of another grid is resized on load (linear, bicubic, trilinear for one, two, three axes), as Vision
    Transformers do (https://arxiv.org/abs/2010.11929). A coordinate outside the grid raises.
    """

    def __init__(self, dim: int, grid: Sequence[int]) -> None:
        super().__init__()
        if len(grid) not in MODES:
            raise ConfigError(f"position.grid={list(grid)} has {len(grid)} axes; 1 to 3 are possible.")
        self.grid = tuple(grid)
        self.table = nn.Parameter(torch.randn(*grid, dim) * 0.02)

    def embed(self, embeddings: Tensor, info: TokenInfo) -> Tensor:
        coordinates = info.coordinates
        if coordinates.shape[-1] != len(self.grid):
            raise ConfigError(
                f"position.grid={list(self.grid)} has {len(self.grid)} axes, the tokens have {coordinates.shape[-1]}."
            )
        has_place = placed(info)
        coordinates = torch.where(has_place, coordinates, 0)
        self._check(coordinates)
        index = torch.zeros_like(info.order)
        for places, place in zip(self.grid, coordinates.unbind(-1), strict=True):
            index = index * places + place
        return embeddings + embedding(index, self.table.flatten(0, -2)) * has_place

    def _check(self, coordinates: Tensor) -> None:
        """Raise for a place outside the grid; on CUDA by a device-side assertion, since reading it would wait."""
        outside = torch.zeros_like(coordinates[..., 0], dtype=torch.bool)
        for places, place in zip(self.grid, coordinates.unbind(-1), strict=True):
            outside |= place >= places
        if outside.device.type in UNREAD:
            torch._assert_async(~outside.any(), f"a token lies outside position.grid={list(self.grid)}; raise it.")
        elif bool(outside.any()):
            largest = (coordinates.flatten(0, 1).amax(0) + 1).tolist()
            raise TooLong(
                f"a sample needs {largest} places and the grid of learned positions has {list(self.grid)}: train with "
                "more (position.grid; where it is a context that is too long task.encoder.position.grid), or with "
                "position=rotary or position=sinusoidal, which have no limit."
            )

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        table = state_dict.get(prefix + "table")
        if table is not None and table.shape[:-1] != self.table.shape[:-1] and table.dim() == self.table.dim():
            resized = interpolate(
                table.movedim(-1, 0)[None].float(), size=self.grid, mode=MODES[len(self.grid)], align_corners=False
            )
            state_dict[prefix + "table"] = resized[0].movedim(0, -1).to(table.dtype)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
