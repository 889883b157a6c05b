"""Early convolutions in place of the patch projection (Xiao et al. 2021, https://arxiv.org/abs/2106.14881)."""

from __future__ import annotations

from torch import nn


class ConvStem(nn.Sequential):
    """3×3 convolutions of stride 2, each doubling the width, then one that reaches the patch and `dim`.

    (batch, channels, rows × patch height, columns × patch width) → (batch, dim, rows, columns).

    The paper's batch norm is a group norm of one group here: statistics of each image alone, so that an image's tokens
    do not depend on its batch mates.
    """

    def __init__(self, channels: int, dim: int, patch: tuple[int, int]) -> None:
        strides: list[tuple[int, int]] = []
        height, width = patch  # what the strides have yet to reach
        while height % 2 == 0 or width % 2 == 0 or not strides:
            strides.append((2 - height % 2, 2 - width % 2))
            height, width = height // strides[-1][0], width // strides[-1][1]
        layers: list[nn.Module] = []
        for i, stride in enumerate(strides):
            features = max(8, dim >> (len(strides) - i))
            layers += [nn.Conv2d(channels, features, 3, stride, 1, bias=False), nn.GroupNorm(1, features), nn.ReLU()]
            channels = features
        super().__init__(*layers, nn.Conv2d(channels, dim, (height, width), (height, width)))
