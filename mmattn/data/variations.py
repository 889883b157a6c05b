"""The training split as an epoch sees it: samples augmented, and long ones cut elsewhere each time."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import groupby

import torch
from torch.utils.data import Dataset

from mmattn.data.batches import Place
from mmattn.data.dataset import Fetched, Item, PreparedDataset
from mmattn.errors import ConfigError
from mmattn.tokenizer import Batch


class Variations(Dataset[Batch]):
    """Batches of a prepared split, other ones each epoch; as many items in each.

    Augmentation and cuts depend on (seed, epoch, sample) alone.
    """

    def __init__(self, dataset: PreparedDataset, seed: int = 0) -> None:
        self.dataset, self.tokenizer, self.seed = dataset, dataset.tokenizer, seed
        self._augments = self.tokenizer.varies
        groups = groupby(dataset.items, lambda item: item.sample)
        self._whole = [list(group) for _, group in groups]
        self._cuts = any(len(group) > 1 for group in self._whole)
        self._latest: tuple[int, list[Item]] = (-1, [])

    def items(self, epoch: int) -> list[Item]:
        """What there is to see in an epoch: each sample once, whole or in pieces."""
        if not self._cuts:
            return self.dataset.items
        if self._latest[0] != epoch:
            self._latest = (epoch, [item for group in self._whole for item in self._moved(group, epoch)])
        return self._latest[1]

    def lengths(self, epoch: int) -> list[int]:
        """Tokens of each item, prefix tokens included."""
        return [item.length for item in self.items(epoch)]

    def __len__(self) -> int:
        return len(self.items(0))

    def __getitem__(self, places: Iterable[Place]) -> Batch:
        return self.batch(places)

    def batch(self, places: Iterable[Place]) -> Batch:
        """A collated batch of (epoch, index) places, with `names` and `labels` as in `PreparedDataset`."""
        return self.dataset.collate([self._fetch(epoch, self.items(epoch)[index]) for epoch, index in places])

    def _moved(self, pieces: list[Item], epoch: int) -> list[Item]:
        if len(pieces) == 1:
            return pieces
        (first, *_, last), prefix, stride = pieces, self.tokenizer.prefix.count, self.tokenizer.stride
        assert stride is not None and first.stop is not None and last.stop is not None
        generator = random.Random(f"{self.seed}/{epoch}/{first.sample}")
        bounds = moved_spans(last.stop, first.stop, stride, generator)
        return [Item(first.sample, start, stop, stop - start + prefix) for start, stop in bounds]

    def _fetch(self, epoch: int, item: Item) -> Fetched:
        if not self._augments:
            return self.dataset.fetch(item)
        generator = torch.Generator().manual_seed(hash((self.seed, epoch, item.sample)) % 2**63)
        raw = self.dataset.samples[item.sample]
        varied = self.tokenizer.augment(raw, generator)
        if varied is raw:
            return self.dataset.fetch(item)
        prepared = self.tokenizer.prepare(varied)
        label = self.dataset.read(varied, prepared)
        if item.stop is None:
            self.tokenizer.check_length(raw.name, prepared)
        elif item.stop > self.tokenizer.count(prepared):
            raise ConfigError(
                f"{raw.name}: augmentation left {self.tokenizer.count(prepared)} tokens, and a piece of it ends at "
                f"{item.stop}; leave tokenizer.stride unset, or let augmentation keep the length."
            )
        else:
            prepared = self.tokenizer.cut(prepared, item.start, item.stop)
        return item.sample, raw.name, label, prepared


def moved_spans(count: int, width: int, stride: int, generator: random.Random) -> list[tuple[int, int]]:
    """(start, stop) of the pieces that `count` tokens, more than `width`, are cut into: at most `width` long.

    The first begins at 0 and the last ends at `count`. Between two beginnings lie `stride` tokens, fewer after the
    first and before the end: how many is drawn, from at least half a stride's choices, so that over epochs all
    boundaries are seen while each epoch sees every token as often as one cut at fixed places would.
    """
    overlap = width - stride
    covered = count - overlap  # what the beginnings share among them
    number = -(-(covered + stride // 2) // stride)
    fewest, most = max(1, covered - (number - 1) * stride), min(stride, covered - (number - 2) * stride - 1)
    second = generator.randint(fewest, most)
    starts = [0, *range(second, covered, stride)]
    return [(start, end + overlap) for start, end in zip(starts, [*starts[1:], covered], strict=True)]
