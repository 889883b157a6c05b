"""Which samples stand in which batch."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from torch.utils.data import Sampler

Place = tuple[int, int]  # epoch, index


class Batches(Sampler[list[Place]]):
    """Batches of (epoch, index): what a worker needs to augment a sample reproducibly.

    Args:
        lengths: tokens of each sample; samples of like length share a batch, which keeps padding small.
        batch_size: samples a batch; the last one of an epoch may be smaller.
        shuffle: a new order each epoch, from (seed, epoch); else by length, longest first.
        epoch: tells the epoch when an iteration begins; a trainer's own count survives stopping and resuming.
        pool: batches' worth of shuffled samples that are sorted by length together; 1 mixes all lengths.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        batch_size: int,
        *,
        shuffle: bool,
        seed: int = 0,
        pool: int = 50,
        epoch: Callable[[], int] = int,
    ) -> None:
        self.lengths, self.batch_size, self.shuffle, self.seed, self.pool = lengths, batch_size, shuffle, seed, pool
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-len(self.lengths) // self.batch_size)

    def __iter__(self) -> Iterator[list[Place]]:
        epoch, order = self.epoch(), list(range(len(self.lengths)))
        if not self.shuffle:
            order.sort(key=lambda index: -self.lengths[index])
            yield from [[(epoch, index) for index in group] for group in self._groups(order)]
            return
        generator = random.Random(f"{self.seed}/{epoch}")
        generator.shuffle(order)
        width = self.pool * self.batch_size
        for start in range(0, len(order), width):
            order[start : start + width] = sorted(order[start : start + width], key=lambda index: self.lengths[index])
        groups = self._groups(order)
        generator.shuffle(groups)
        yield from [[(epoch, index) for index in group] for group in groups]

    def _groups(self, order: list[int]) -> list[list[int]]:
        return [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]
