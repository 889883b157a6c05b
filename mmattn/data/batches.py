"""Which samples stand in which batch."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from torch.utils.data import Sampler

Place = tuple[int, int]  # epoch, index


class InOrder(Sampler[list[Place]]):
    """Batches by length, the longest first, which keeps padding small; the same each time. `lengths` are in tokens."""

    def __init__(self, lengths: Sequence[int], batch_size: int) -> None:
        self.lengths, self.batch_size = lengths, batch_size

    def __len__(self) -> int:
        return -(-len(self.lengths) // self.batch_size)

    def __iter__(self) -> Iterator[list[Place]]:
        order = sorted(range(len(self.lengths)), key=lambda index: -self.lengths[index])
        yield from _places(0, _groups(order, self.batch_size))


class Shuffled(Sampler[list[Place]]):
    """Batches of (epoch, index), which is what a worker needs to augment a sample reproducibly; new ones each epoch.

    Args:
        lengths: epoch → tokens of each sample, as many in every epoch; samples of like length share a batch.
        batch_size: samples a batch; the last one of an epoch may be smaller.
        seed: of the order, with the epoch.
        pool: batches' worth of shuffled samples that are sorted by length together; 1 mixes all lengths.
        epoch: tells the epoch when an iteration begins; a trainer's own count survives stopping and resuming.
    """

    def __init__(
        self,
        lengths: Callable[[int], Sequence[int]],
        batch_size: int,
        *,
        seed: int = 0,
        pool: int = 50,
        epoch: Callable[[], int] = int,
    ) -> None:
        self.lengths, self.batch_size, self.seed, self.pool, self.epoch = lengths, batch_size, seed, pool, epoch
        self.count = len(lengths(0))

    def __len__(self) -> int:
        return -(-self.count // self.batch_size)

    def __iter__(self) -> Iterator[list[Place]]:
        epoch, order = self.epoch(), list(range(self.count))
        lengths = self.lengths(epoch)
        generator = random.Random(f"{self.seed}/{epoch}")
        generator.shuffle(order)
        width = self.pool * self.batch_size
        for start in range(0, len(order), width):
            order[start : start + width] = sorted(order[start : start + width], key=lambda index: lengths[index])
        groups = _groups(order, self.batch_size)
        generator.shuffle(groups)
        yield from _places(epoch, groups)


def _groups(order: list[int], size: int) -> list[list[int]]:
    return [order[start : start + size] for start in range(0, len(order), size)]


def _places(epoch: int, groups: list[list[int]]) -> list[list[Place]]:
    return [[(epoch, index) for index in group] for group in groups]
