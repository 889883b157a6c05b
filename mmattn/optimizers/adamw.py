"""AdamW with decay only where it belongs."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.nn import Parameter
from torch.optim import AdamW, Optimizer

from mmattn.errors import ConfigError
from mmattn.limits import within


def adamw(
    module: nn.Module, *, learning_rate: float, weight_decay: float = 0.05, betas: tuple[float, float] = (0.9, 0.99)
) -> Optimizer:
    """AdamW (https://arxiv.org/abs/1711.05101); matrices decay, vectors, scales, embeddings and tables do not."""
    check_rates(learning_rate, weight_decay, betas)
    decayed, kept = by_decay(module)
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": kept, "weight_decay": 0.0}]
    return AdamW([group for group in groups if group["params"]], lr=learning_rate, betas=(betas[0], betas[1]))


def check_rates(learning_rate: float, weight_decay: float, betas: Sequence[float]) -> None:
    """Raise `ConfigError` for numbers with which nothing would be learned."""
    within("optimizer.learning_rate", learning_rate, above=0)
    within("optimizer.weight_decay", weight_decay, least=0)
    if isinstance(betas, str) or not isinstance(betas, Sequence) or len(betas) != 2:
        raise ConfigError(f"optimizer.betas={betas} must be two numbers, such as [0.9, 0.99].")
    for place, beta in enumerate(betas):
        within(f"optimizer.betas[{place}]", beta, least=0, below=1)


def by_decay(module: nn.Module) -> tuple[list[Parameter], list[Parameter]]:
    """Parameters that are trained: weights of linear maps and convolutions, and all others."""
    tables = {id(m.weight) for m in module.modules() if isinstance(m, nn.Embedding)}
    decayed: list[Parameter] = []
    kept: list[Parameter] = []
    for name, parameter in module.named_parameters():
        if parameter.requires_grad:
            plain = parameter.ndim < 2 or id(parameter) in tables or name.endswith((".table", "prefix.tokens"))
            (kept if plain else decayed).append(parameter)
    return decayed, kept
