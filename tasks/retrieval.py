"""Whether pairs find each other among all pairs of a split."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor
from torchmetrics import Metric
from torchmetrics.utilities import dim_zero_cat


class Retrieval(Metric, ABC):
    """Something of the similarities of all pairs of which no two say the same: of those that do, the first is taken."""

    full_state_update = False

    def __init__(self) -> None:
        super().__init__()
        for name in ("first", "second", "meanings"):
            self.add_state(name, [], dist_reduce_fx="cat")

    def update(self, first: Tensor, second: Tensor, meanings: Tensor) -> None:
        """Directions (pairs, size) and (pairs, any number, size), of which the first is the partner, and what each
        pair says (pairs,)."""
        for kept, new in ((self.first, first), (self.second, second[:, 0]), (self.meanings, meanings)):
            kept.append(new)  # type: ignore[operator, union-attr]

    def compute(self) -> Tensor:
        first, second, meanings = (dim_zero_cat(each) for each in (self.first, self.second, self.meanings))  # type: ignore[arg-type]
        places = meanings.unique(return_inverse=True)[1]
        index = torch.arange(len(places), device=places.device)
        chosen = index.new_zeros(int(places.max()) + 1)
        chosen = chosen.scatter_reduce(0, places, index, "amin", include_self=False)
        return self.found(first[chosen] @ second[chosen].T)

    @abstractmethod
    def found(self, scores: Tensor) -> Tensor:
        """A figure of the similarities (pairs, pairs)."""


class Recall(Retrieval):
    """The share of first sides whose nearest second side is their own."""

    def found(self, scores: Tensor) -> Tensor:
        return (scores.argmax(1) == torch.arange(len(scores), device=scores.device)).float().mean()


class RecallBack(Retrieval):
    """The share of second sides whose nearest first side is their own."""

    def found(self, scores: Tensor) -> Tensor:
        return (scores.argmax(0) == torch.arange(len(scores), device=scores.device)).float().mean()


class Candidates(Retrieval):
    """Among how many pairs they were found."""

    def found(self, scores: Tensor) -> Tensor:
        return scores.new_tensor(len(scores))


class Hard(Metric):
    """The share of first sides that are nearer to their partner than to each of the others that they come with."""

    full_state_update = False
    right: Tensor
    count: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name in ("right", "count"):
            self.add_state(name, torch.tensor(0), dist_reduce_fx="sum")

    def update(self, first: Tensor, second: Tensor, meanings: Tensor) -> None:
        """As of `Retrieval`."""
        scores = torch.einsum("pd,pnd->pn", first, second)
        self.right += (scores[:, :1] > scores[:, 1:]).all(1).sum()
        self.count += len(first)

    def compute(self) -> Tensor:
        return self.right.float() / self.count
