"""A learned sum over the neighbours of a token on its grid."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from mmattn.context import Context
from mmattn.errors import ConfigError
from mmattn.limits import whole
from mmattn.mixers.mixer import Mixer


class GridConvolution(Mixer):
    """A depthwise convolution over two coordinate axes, each document on a grid of its own, zeros around it.

    Tokens without a place (CLS) get 0; each modality of a document has its own grid, as their places mean other things.

    Args:
        dim: model width.
        size: side of the square window, odd.
        first_axis: the coordinate axis of the rows; the columns' is the next.
    """

    def __init__(self, dim: int, size: int = 3, first_axis: int = 0) -> None:
        super().__init__()
        whole("size", size, 1)
        whole("first_axis", first_axis, 0)
        if size % 2 == 0:
            raise ConfigError(f"size={size} of a grid convolution must be odd; choose {size + 1}.")
        self.axes = slice(first_axis, first_axis + 2)
        self.convolution = nn.Conv2d(dim, dim, size, padding=size // 2, groups=dim)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        info = context.info
        place = info.coordinates[..., self.axes]
        if place.shape[-1] < 2:
            raise ConfigError(
                f"A grid convolution needs two coordinate axes from first_axis={self.axes.start} on, and these tokens "
                f"have {info.coordinates.shape[-1]}: choose another mixer, or a tokenizer of images."
            )
        if x.numel() == 0:
            return x
        placed = info.real & (place >= 0).all(-1)
        row, column = place[placed].unbind(-1)
        kinds = int(info.modality.max()) + 1
        grid = info.document[placed] * kinds + info.modality[placed]
        grids = x.new_zeros(*(int(each.max()) + 1 if len(each) else 1 for each in (grid, row, column)), x.shape[-1])
        grids = grids.index_put((grid, row, column), x[placed])
        mixed = self.convolution(grids.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        return mixed.new_zeros(x.shape).index_put((placed,), mixed[grid, row, column])

    def step(self, x: Tensor, context: Context, state: Any) -> tuple[Tensor, Any]:
        """Raises `ConfigError`: a window holds later tokens, which are not there yet."""
        raise ConfigError("A grid convolution sees later tokens, so it has no next step; leave it out of a decoder.")
