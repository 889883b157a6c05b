"""What pulls the two sides of a pair together, and pushes the sides of others apart."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, logsigmoid

from mmattn.errors import ConfigError

STEEPEST = 100.0  # of CLIP: a learned temperature that went on would make training unstable


class PairLoss(nn.Module, ABC):
    """Learned `log_scale` of similarities: an inverse temperature.

    Args:
        scale: what similarities are multiplied by at first.
    """

    def __init__(self, scale: float) -> None:
        super().__init__()
        if not 0 < scale <= STEEPEST:
            raise ConfigError(f"task.loss.scale={scale} must lie above 0 and be at most {STEEPEST:g}.")
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))

    @property
    def scale(self) -> Tensor:
        with torch.no_grad():  # of the weight itself: a clamped value would have no gradient, and stay there
            self.log_scale.clamp_(max=math.log(STEEPEST))
        return self.log_scale.exp()

    @abstractmethod
    def forward(self, first: Tensor, second: Tensor, wrong: Tensor, alike: Tensor) -> Tensor:
        """The mean loss of pairs.

        first, second: directions (pairs, size) of both sides.
        wrong: (pairs, any number, size), further second sides that are no partner of their pair's first one.
        alike: bool (pairs, pairs), whether the second sides of two pairs say the same; such pairs are not pushed apart.
        """


class SoftmaxLoss(PairLoss):
    """Which of all second sides belongs to a first one, and the other way round (CLIP,
    https://arxiv.org/abs/2103.00020)."""

    def __init__(self, scale: float = 1 / 0.07) -> None:
        super().__init__(scale)

    def forward(self, first: Tensor, second: Tensor, wrong: Tensor, alike: Tensor) -> Tensor:
        others = alike & ~torch.eye(len(first), dtype=torch.bool, device=first.device)
        scores = (self.scale * first @ second.T).masked_fill(others, -math.inf)
        traps = self.scale * torch.einsum("pd,pnd->pn", first, wrong)
        target = torch.arange(len(first), device=first.device)
        return (cross_entropy(torch.cat([scores, traps], 1), target) + cross_entropy(scores.T, target)) / 2


class SigmoidLoss(PairLoss):
    """Whether two sides belong together, each two of them on its own (SigLIP, https://arxiv.org/abs/2303.15343).

    Args:
        bias: of the similarities at first: most of them are of sides that do not belong together.
    """

    def __init__(self, scale: float = 10.0, bias: float = -10.0) -> None:
        super().__init__(scale)
        self.bias = nn.Parameter(torch.tensor(bias))

    def forward(self, first: Tensor, second: Tensor, wrong: Tensor, alike: Tensor) -> Tensor:
        scores = self.scale * first @ second.T + self.bias
        traps = self.scale * torch.einsum("pd,pnd->pn", first, wrong) + self.bias
        loss = torch.where(alike, -logsigmoid(scores), -logsigmoid(-scores))
        return (loss.sum() - logsigmoid(-traps).sum()) / len(first)
