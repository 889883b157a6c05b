"""Several biases, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from mmattn.biases.bias import Bias
from mmattn.patterns import Facts


class Chain(Bias):
    """The scores pass through each bias in turn; `biases` are factories `heads -> Bias`."""

    def __init__(self, heads: int, biases: Sequence[Callable[[int], Bias]]) -> None:
        super().__init__()
        self.heads = heads
        self.biases = nn.ModuleList(make(heads) for make in biases)

    def forward(self, scores: Tensor, head: Tensor, query: Facts, key: Facts) -> Tensor:
        for bias in self.biases:
            scores = bias(scores, head, query, key)
        return scores
