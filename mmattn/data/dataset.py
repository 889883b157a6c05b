"""Samples of one split, prepared by a tokenizer: whole, or cut into pieces where they are too long for the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from mmattn.data.batches import Place
from mmattn.data.labels import Labels
from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizer import Batch, Prepared, Tokenizer


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
        labels: what the task makes of labels; None where its targets are the tokens themselves.
        training: augment, and shift the pieces of cut samples at random.
        seed: of the augmentation.
        on_bad_sample: `raise`, or `skip`, which leaves it out and lists it in `skipped`.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        tokenizer: Tokenizer,
        labels: Labels | None = None,
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
        self.names: dict[int, str] = {}
        self.given: dict[int, Tensor | None] = {}  # the labels as `Labels.read` gives them
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
        """A collated batch; `names`, and `labels` where the task has any, are in it."""
        names, given, prepared = zip(*(self._fetch(epoch, index) for epoch, index in places), strict=True)
        batch = self.tokenizer.collate(prepared)
        batch["names"] = list(names)
        if self.labels is not None:
            targets = [self.labels.target(*each, self.tokenizer) for each in zip(given, prepared, strict=True)]
            batch["labels"] = self.labels.stack(targets, batch["layout"].side)
        return batch

    def _add(self, index: int) -> None:
        sample, tokenizer = self.samples[index], self.tokenizer
        prepared = tokenizer.prepare(sample)
        self.given[index] = self._read(sample, prepared)
        self.prepared[index], self.names[index] = prepared, sample.name
        if tokenizer.stride is None:
            tokenizer.check_length(sample.name, prepared)
            self.items.append(Item(index, 0, None, tokenizer.length(prepared)))
            return
        for start, stop in spans(tokenizer, prepared, tokenizer.stride):
            self.items.append(Item(index, start, stop, stop - start + tokenizer.prefix.count))

    def _read(self, sample: Sample, prepared: Prepared) -> Tensor | None:
        return None if self.labels is None else self.labels.read(sample, prepared, self.tokenizer)

    def _fetch(self, epoch: int, index: int) -> tuple[str, Tensor | None, Prepared]:
        """Name, label and prepared value of an item."""
        item = self.items[index]
        name, label, prepared = self.names[item.sample], self.given[item.sample], self.prepared[item.sample]
        generator = torch.Generator()
        if self.training:
            generator.manual_seed(hash((self.seed, epoch, index)) % 2**63)
        if self.augments:
            sample = self.tokenizer.augment(self.samples[item.sample], generator)
            prepared = self.tokenizer.prepare(sample)
            label = self._read(sample, prepared)
            self.tokenizer.check_length(name, prepared)
        if item.stop is None:
            return name, label, prepared
        start, stop = self._shifted(item, self.tokenizer.count(prepared), generator)
        return name, label, self.tokenizer.cut(prepared, start, stop)

    def _shifted(self, item: Item, count: int, generator: torch.Generator) -> tuple[int, int]:
        """A piece's bounds; in training moved by up to a stride, so that epochs see all boundaries."""
        assert item.stop is not None and self.tokenizer.stride is not None
        if not self.training:
            return item.start, item.stop
        width = item.stop - item.start
        shift = int(torch.randint(self.tokenizer.stride, (), generator=generator))
        start = min(item.start + shift, count - width)
        return start, start + width


def spans(tokenizer: Tokenizer, prepared: Prepared, stride: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of the pieces that a sample is cut into: as long as the model takes, `stride` tokens apart."""
    assert tokenizer.max_length is not None  # a tokenizer with a stride has it
    count, width = tokenizer.count(prepared), tokenizer.max_length - tokenizer.prefix.count
    for start in range(0, max(count - (width - stride), 1), stride):
        yield start, min(start + width, count)


def pieces(tokenizer: Tokenizer, name: str, prepared: Prepared) -> list[Prepared]:
    """A new sample as the model takes it: whole, or one piece after the other where the tokenizer cuts.

    Raises `BadSample` for a sample that is too long and not to be cut.
    """
    if tokenizer.stride is None or tokenizer.max_length is None:
        tokenizer.check_length(name, prepared)
        return [prepared]
    width = tokenizer.max_length - tokenizer.prefix.count
    return [tokenizer.cut(prepared, start, stop) for start, stop in spans(tokenizer, prepared, width)]
