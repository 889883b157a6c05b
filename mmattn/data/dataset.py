"""Samples of one split, prepared by a tokenizer: whole, or cut into pieces where they are too long for the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import torch
from torch.utils.data import Dataset

from mmattn.data.batches import Place
from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizer import Batch, Prepared, Tokenizer

Labels = Callable[[Sequence[Any], Batch], Batch]


class Item(NamedTuple):
    """Tokens `start` to `stop` (None: all) of a sample."""

    sample: int
    start: int
    stop: int | None
    length: int


class PreparedDataset(Dataset[Batch]):
    """Batches of one split. Every sample is prepared once at construction, so that a bad one is found before training.

    Args:
        samples: raw samples.
        tokenizer: prepares and collates.
        labels: (labels of the batch, batch) → what to add to the batch.
        training: augment, and shift the pieces of cut samples at random.
        seed: of the augmentation.
        on_bad_sample: `raise`, or `skip`, which leaves it out and lists it in `skipped`.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        tokenizer: Tokenizer,
        labels: Labels,
        *,
        training: bool = False,
        seed: int = 0,
        on_bad_sample: str = "raise",
    ) -> None:
        if on_bad_sample not in ("raise", "skip"):
            raise ConfigError(f"loader.on_bad_sample={on_bad_sample} must be 'raise' or 'skip'.")
        self.samples, self.tokenizer, self.labels = samples, tokenizer, labels
        self.training, self.seed = training, seed
        self.augments = training and type(tokenizer).augment is not Tokenizer.augment
        self.prepared: dict[int, Prepared] = {}
        self.items: list[Item] = []
        self.skipped: list[str] = []
        for index in range(len(samples)):
            try:
                self._add(index)
            except BadSample as error:
                if on_bad_sample == "raise":
                    raise
                self.skipped.append(str(error))

    @property
    def lengths(self) -> list[int]:
        """Tokens of each item, prefix tokens included."""
        return [item.length for item in self.items]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, places: Any) -> Batch:
        """The batch of these (epoch, index) places."""
        return self.batch(places)

    def batch(self, places: Iterable[Place]) -> Batch:
        """A collated batch; `names` and what `labels` adds are in it."""
        samples, prepared = zip(*(self._fetch(epoch, index) for epoch, index in places), strict=True)
        batch = self.tokenizer.collate(prepared)
        batch["names"] = [sample.name for sample in samples]
        return {**batch, **self.labels([sample.label for sample in samples], batch)}

    def _add(self, index: int) -> None:
        sample, tokenizer = self.samples[index], self.tokenizer
        prepared = tokenizer.prepare(sample)
        self.prepared[index] = prepared
        if tokenizer.stride is None or tokenizer.max_length is None:
            tokenizer.check_length(sample.name, prepared)
            self.items.append(Item(index, 0, None, tokenizer.length(prepared)))
            return
        count, width = tokenizer.count(prepared), tokenizer.max_length - tokenizer.prefix.count
        for start in range(0, max(count - (width - tokenizer.stride), 1), tokenizer.stride):
            stop = min(start + width, count)
            self.items.append(Item(index, start, stop, stop - start + tokenizer.prefix.count))

    def _fetch(self, epoch: int, index: int) -> tuple[Sample, Prepared]:
        item = self.items[index]
        sample, prepared = self.samples[item.sample], self.prepared[item.sample]
        generator = torch.Generator()
        if self.training:
            generator.manual_seed(hash((self.seed, epoch, index)) % 2**63)
        if self.augments:
            sample = self.tokenizer.augment(sample, generator)
            prepared = self.tokenizer.prepare(sample)
            self.tokenizer.check_length(sample.name, prepared)
        if item.stop is None:
            return sample, prepared
        start, stop = self._shifted(item, self.tokenizer.count(prepared), generator)
        return sample, self.tokenizer.cut(prepared, start, stop)

    def _shifted(self, item: Item, count: int, generator: torch.Generator) -> tuple[int, int]:
        """A piece's bounds; in training moved by up to a stride, so that epochs see all boundaries."""
        assert item.stop is not None and self.tokenizer.stride is not None
        if not self.training:
            return item.start, item.stop
        width = item.stop - item.start
        shift = int(torch.randint(self.tokenizer.stride, (), generator=generator))
        start = min(item.start + shift, count - width)
        return start, start + width
