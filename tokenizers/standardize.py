"""Mean and deviation of training data, and content measured by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from mmattn.errors import ConfigError

Item = TypeVar("Item")


class Standardize(nn.Module):
    """(x - mean) / std for each of `channels`, along the last axis but one.

    Args:
        channels: how many means and deviations there are.
        mean, std: given values (a number for all channels, or one each); None leaves them to `fit`.

    They are kept by the tokenizer's `state`, not by checkpoints.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, channels: int, mean: float | Sequence[float] | None = None, std: float | Sequence[float] | None = None
    ) -> None:
        super().__init__()
        if (mean is None) != (std is None):
            raise ConfigError("tokenizer.mean and tokenizer.std go together: give both, or neither to fit them.")
        self.channels, self.given, self.ready = channels, mean is not None, False
        self.register_buffer("mean", torch.zeros(channels, 1), persistent=False)
        self.register_buffer("std", torch.ones(channels, 1), persistent=False)
        if mean is not None and std is not None:
            self._set(mean, std)

    def _set(self, mean: float | Sequence[float], std: float | Sequence[float]) -> None:
        for name, values in (("mean", mean), ("std", std)):
            tensor = torch.as_tensor(list(values) if isinstance(values, Sequence) else values, dtype=torch.float64)
            if (
                tensor.ndim > 1
                or tensor.numel() not in (1, self.channels)
                or (name == "std" and not bool((tensor > 0).all()))
            ):
                raise ConfigError(
                    f"tokenizer.{name}={values} must be one number or {self.channels} (deviations above 0)."
                )
            buffer = self.get_buffer(name)
            buffer.copy_(tensor.reshape(-1, 1).expand(self.channels, 1))
        self.ready = True

    def fit(self, contents: Iterable[Tensor]) -> None:
        """Measure contents (channels, values), unless mean and std were given. A constant channel keeps deviation 1."""
        if self.given:
            return
        count, total, squares = (
            0,
            torch.zeros(self.channels, dtype=torch.float64),
            torch.zeros(self.channels, dtype=torch.float64),
        )
        for content in contents:
            content = content.double()
            count, total, squares = count + content.shape[1], total + content.sum(1), squares + content.square().sum(1)
        if count == 0:
            raise ConfigError(
                "there is no training sample to measure mean and deviation on; give tokenizer.mean and tokenizer.std."
            )
        mean = total / count
        std = (squares / count - mean.square()).clamp(min=0).sqrt()
        self._set(mean.tolist(), torch.where(std > 1e-6, std, 1.0).tolist())

    def state(self) -> Mapping[str, Any]:
        return {"mean": self.mean[:, 0].tolist(), "std": self.std[:, 0].tolist()} if self.ready else {}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        if state:
            self._set(state["mean"], state["std"])

    def forward(self, x: Tensor) -> Tensor:
        """x (…, channels, values), the same shape out."""
        self._check()
        return (x - self.mean) / self.std

    def inverse(self, x: Tensor) -> Tensor:
        self._check()
        return x * self.std + self.mean

    def _check(self) -> None:
        if not self.ready:
            raise ConfigError(
                "the tokenizer knows no mean and deviation yet: call fit, restore_state, or give mean and std."
            )


def evenly(items: Sequence[Item], most: int) -> list[Item]:
    """At most `most` items, evenly spaced over all, first one included."""
    count = min(len(items), most)
    return [items[i * len(items) // count] for i in range(count)]
