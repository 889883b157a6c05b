"""A learned sum over the neighbours of each token."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mmattn.context import Context
from mmattn.errors import ConfigError
from mmattn.limits import said, whole
from mmattn.mixers.behind_padding import Recent, behind_padding, neighbours, put_back
from mmattn.mixers.mixer import Mixer
from mmattn.patterns import SlidingWindow


class Convolution(Mixer):
    """relu(Σ_o W_o · x[t + o] + b) over the neighbours of t in its document, those outside of it being zeros.

    Windows of several sizes side by side, as sentence classifiers have them (https://arxiv.org/abs/1408.5882).

    Args:
        dim: model width.
        windows: (before, after) of each: how many neighbours it sees; they share the channels as evenly as can be.
    """

    def __init__(self, dim: int, windows: Sequence[tuple[int, int]] = ((1, 1),)) -> None:
        super().__init__()
        pairs = isinstance(windows, Sequence) and all(isinstance(each, Sequence) and len(each) == 2 for each in windows)
        if not windows or not pairs or isinstance(windows, str):
            raise ConfigError(f"windows={said(windows)} must be a list of pairs [before, after], such as [[1, 1]].")
        for place, window in enumerate(windows):
            for side, count in enumerate(window):
                whole(f"windows[{place}][{side}]", count, 0)
        if len(windows) > dim:
            raise ConfigError(f"{len(windows)} windows cannot share dim={dim} channels; give fewer, or a larger dim.")
        self.before, self.after = (max(sides) for sides in zip(*windows, strict=True))
        self.pattern = SlidingWindow(self.before, self.after)
        self.offsets = [slice(self.before - before, self.before + after + 1) for before, after in windows]
        shares = [len(range(first, dim, len(windows))) for first in range(len(windows))]
        self.sums = nn.ModuleList(
            nn.Linear((before + after + 1) * dim, share) for (before, after), share in zip(windows, shares, strict=True)
        )

    def forward(self, x: Tensor, context: Context) -> Tensor:
        document = context.info.document
        if not context.info.layout.padded:
            return self.convolve(x, document)
        x, document, order = behind_padding(x, document)
        return put_back(self.convolve(x, document), order)

    def step(self, x: Tensor, context: Context, state: Recent | None) -> tuple[Tensor, Recent]:
        """Raises `ConfigError` where a window holds later tokens, which are not there yet."""
        if self.after:
            raise ConfigError(
                "A convolution with later tokens in its windows has no next step; set their `after` to 0."
            )
        document = context.info.document
        state = Recent.nothing(x, document, self.before) if state is None else state
        x, document = torch.cat([state.x, x], 1), torch.cat([state.document, document], 1)
        x, document, order = behind_padding(x, document)
        made = put_back(self.convolve(x, document), order)
        return made[:, self.before :], Recent.of(x, document, self.before)

    def convolve(self, x: Tensor, document: Tensor) -> Tensor:
        """x (batch, length, dim) of documents (batch, length) → the same shape."""
        seen = torch.stack(list(neighbours(x, document, self.before, self.after)), 2)  # (batch, length, offsets, dim)
        sums = [out(seen[:, :, at].flatten(2)) for out, at in zip(self.sums, self.offsets, strict=True)]
        return torch.cat(sums, -1).relu()
