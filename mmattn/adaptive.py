"""What follows a condition: the time of a diffusion, a class, a style."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mmattn.context import Context
from mmattn.errors import ConfigError
from mmattn.mixers import Mixer
from mmattn.residual import Residual


class AdaptiveBlock(Residual):
    """A residual layer whose norms and branches are scaled, shifted and gated by the condition (adaLN-Zero of DiT,
    https://arxiv.org/abs/2212.09748): x + gate · mixer(norm(x) · (1 + scale) + shift), and so for the MLP.

    All of these are 0 at first, so that a layer begins as nothing. The arguments are `Residual`'s.
    """

    def __init__(self, dim: int, mixer: Mixer, mlp: nn.Module | None, *parts: Any, **named: Any) -> None:
        super().__init__(dim, mixer, mlp, *parts, **named)
        self.modulation = nn.Linear(dim, dim * (3 if mlp is None else 6))
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        shift, scale, gate, *rest = self._modulation(context)
        x = x + gate * self.dropout(self.mixer(self.mixer_norm(x) * (1 + scale) + shift, context))
        return self._alone(x, *rest)

    def step(self, x: Tensor, context: Context, state: Any) -> tuple[Tensor, Any]:
        """As `forward` for the next tokens; see `Mixer.step`."""
        shift, scale, gate, *rest = self._modulation(context)
        mixed, state = self.mixer.step(self.mixer_norm(x) * (1 + scale) + shift, context, state)
        return self._alone(x + gate * self.dropout(mixed), *rest), state

    def _alone(self, x: Tensor, *modulation: Tensor) -> Tensor:
        if self.mlp is None:
            return x
        shift, scale, gate = modulation
        return x + gate * self.dropout(self.mlp(self.mlp_norm(x) * (1 + scale) + shift))

    def _modulation(self, context: Context) -> tuple[Tensor, ...]:
        """Shift, scale and gate of each branch, each (batch, length or 1, dim)."""
        if context.condition is None:
            raise ConfigError(
                "backbone.block=AdaptiveBlock follows a condition, and this model is given none: choose a task that "
                "has one (text_to_image), or mmattn.backbone.Block."
            )
        dim = self.modulation.in_features
        return torch.split(context.of_tokens(self.modulation(nn.functional.silu(context.condition))), dim, dim=-1)


class TimeEmbedding(nn.Module):
    """A time in [0, 1] (documents,) as a condition (documents, dim): waves of many lengths, then an MLP."""

    frequency: Tensor

    def __init__(self, dim: int, waves: int = 64) -> None:
        super().__init__()
        self.register_buffer("frequency", 1000.0 ** torch.linspace(0, 1, waves), persistent=False)
        self.mlp = nn.Sequential(nn.Linear(2 * waves, dim), nn.SiLU(), nn.Linear(dim, dim))

    def forward(self, time: Tensor) -> Tensor:
        angle = time[:, None].float() * self.frequency
        return self.mlp(torch.cat([angle.cos(), angle.sin()], -1).to(self.mlp[0].weight.dtype))  # type: ignore[arg-type]
