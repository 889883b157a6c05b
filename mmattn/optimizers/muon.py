"""Muon for a backbone's matrices and AdamW for everything else, as one optimizer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import Parameter
from torch.optim import AdamW, Optimizer

from mmattn.backbone import Backbone
from mmattn.limits import within
from mmattn.optimizers.adamw import by_decay, check_rates
from mmattn.residual import Residual

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # steepest at 0: singular values land near 1, not on it


class Muon(Optimizer):
    """Momentum whose direction is made orthogonal (https://kellerjordan.github.io/posts/muon).

    A step is scaled by 0.2 · √(larger side), so that it is as large as AdamW's and the same learning rate fits both
    (https://arxiv.org/abs/2502.16982). Matrices of one shape are made orthogonal together, in their own precision:
    `torch.optim.Muon` computes in bfloat16, which is some seventy times slower on a CPU without such units.

    Args:
        params: matrices, or groups; a group with `muon=False` is AdamW's.
        lr, weight_decay: of both. momentum: of Muon. betas: of AdamW.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        *,
        weight_decay: float = 0.0,
        momentum: float = 0.95,
        betas: tuple[float, float] = (0.9, 0.99),
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "muon": True})
        self.adamw = AdamW([Parameter(torch.empty(0))], lr=lr, betas=betas)
        for group in self.param_groups:
            if not group["muon"]:
                for key, value in self.adamw.defaults.items():
                    group.setdefault(key, value)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # type: ignore[override]
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            if group["muon"]:
                self._step_matrices(group)
        # AdamW works on this optimizer's groups and state, so there is one state to save and one rate to schedule.
        self.adamw.state = self.state
        self.adamw.param_groups = [group for group in self.param_groups if not group["muon"]]
        self.adamw.step()
        return loss

    def _step_matrices(self, group: dict[str, Any]) -> None:
        alike: dict[Any, list[Parameter]] = defaultdict(list)
        for parameter in group["params"]:
            if parameter.grad is not None:
                alike[parameter.shape, parameter.device, parameter.dtype].append(parameter)
        for parameters in alike.values():
            steps = orthogonal(torch.stack([self._momentum(each, group["momentum"]) for each in parameters]))
            scale = 0.2 * max(parameters[0].shape) ** 0.5
            for parameter, step in zip(parameters, steps, strict=True):
                parameter.mul_(1 - group["lr"] * group["weight_decay"]).add_(step, alpha=-group["lr"] * scale)

    def _momentum(self, parameter: Parameter, momentum: float) -> Tensor:
        """Nesterov's momentum of the gradient."""
        assert parameter.grad is not None
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        average = state["momentum"].lerp_(parameter.grad, 1 - momentum)
        return parameter.grad.lerp(average, momentum)


def orthogonal(matrices: Tensor, steps: int = 5) -> Tensor:
    """U·Vᵀ of each matrix U·S·Vᵀ (…, rows, columns), nearly, by a quintic Newton–Schulz iteration."""
    tall = matrices.shape[-2] > matrices.shape[-1]
    x = matrices.mT if tall else matrices
    x = x / x.norm(dim=(-2, -1), keepdim=True).clamp(min=1e-7)
    a, b, c = COEFFICIENTS
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


def muon(
    module: nn.Module,
    *,
    learning_rate: float,
    other_rate: float | None = None,
    weight_decay: float = 0.05,
    momentum: float = 0.95,
    betas: tuple[float, float] = (0.9, 0.99),
) -> Optimizer:
    """Muon on the matrices of backbones' mixers and MLPs; AdamW, with decay only where it belongs, on all the rest.

    That a layer's reading of a condition is among the rest saves time: it is large, and runs once a document.

    `other_rate`: AdamW's learning rate; None: Muon's.
    """
    check_rates(learning_rate, weight_decay, betas)
    rate = learning_rate if other_rate is None else other_rate
    if other_rate is not None:
        within("optimizer.other_rate", other_rate, least=0)
    within("optimizer.momentum", momentum, least=0, below=1)
    blocks = [block for each in module.modules() if isinstance(each, Backbone) for block in each.blocks]
    layers = {id(p) for block in blocks for part in _mixing(block) for p in part.parameters() if p.ndim == 2}
    decayed, kept = by_decay(module)
    groups = [
        {"params": [p for p in decayed if id(p) in layers], "weight_decay": weight_decay, "muon": True},
        {
            "params": [p for p in decayed if id(p) not in layers],
            "lr": rate,
            "weight_decay": weight_decay,
            "muon": False,
        },
        {"params": kept, "lr": rate, "weight_decay": 0.0, "muon": False},
    ]
    return Muon([g for g in groups if g["params"]], learning_rate, momentum=momentum, betas=(betas[0], betas[1]))


def _mixing(block: nn.Module) -> list[nn.Module]:
    """A layer's mixer and MLP; all of a layer that has no such parts."""
    parts = [block.mixer, block.mlp] if isinstance(block, Residual) else [block]
    return [part for part in parts if part is not None]
