"""Samples of one split, prepared by a tokenizer: whole, or cut into pieces where they are too long for the model."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from mmattn.data.batches import Place
from mmattn.data.kept import Kept
from mmattn.data.labels import Labels
from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizer import Batch, Prepared, Tokenizer

Fetched = tuple[int, str, Tensor | None, Prepared]
"""Index, name, label as `Labels.read` gives it, and prepared value of a sample or of a piece of one."""


class Item(NamedTuple):
    """Tokens `start` to `stop` (None: all) of a sample; `length` counts prefix tokens too."""

    sample: int
    start: int
    stop: int | None
    length: int


class PreparedDataset(Dataset[Batch]):
    """Batches of one split. Every sample is prepared once at construction, so that a bad one is found before training.

    `digest` changes when the names, labels, lengths or order of the used samples do, or a text in them.

    Args:
        samples: raw samples.
        tokenizer: prepares and collates.
        labels: what the task makes of labels; None where its targets are the tokens themselves.
        on_bad_sample: `raise`, or `skip`, which leaves it out and lists it in `skipped`.
        kept_bytes: memory for prepared samples; those that do not fit are read and prepared again when needed.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        tokenizer: Tokenizer,
        labels: Labels | None = None,
        *,
        on_bad_sample: str = "raise",
        kept_bytes: float = 4e9,
    ) -> None:
        if on_bad_sample not in ("raise", "skip"):
            raise ConfigError(f"loader.on_bad_sample={on_bad_sample} must be 'raise' or 'skip'.")
        self.samples, self.tokenizer, self.labels = samples, tokenizer, labels
        self.prepared = Kept(self._prepare, kept_bytes)
        self.names: dict[int, str] = {}
        self.given: dict[int, Tensor | None] = {}  # the labels as `Labels.read` gives them
        self.items: list[Item] = []
        self.skipped: list[str] = []
        self.digest = ""
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

    def __getstate__(self) -> dict[str, Any]:
        """The labels as bytes: torch would open a file for each tensor that it sends to a spawned worker."""
        return {**self.__dict__, "given": pickle.dumps(self.given)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, given=pickle.loads(state["given"]))

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, places: Any) -> Batch:
        """The batch of these (epoch, index) places."""
        return self.batch(places)

    def batch(self, places: Iterable[Place]) -> Batch:
        """A collated batch of items, the same in every epoch; `names`, and `labels` if the task has any, are in it."""
        return self.collate([self.fetch(self.items[index]) for _, index in places])

    def collate(self, fetched: Sequence[Fetched]) -> Batch:
        """What `batch` makes of samples, or pieces of them, that were fetched."""
        samples, names, given, prepared = zip(*fetched, strict=True)
        batch = self.tokenizer.collate(prepared)
        batch["names"], batch["samples"] = list(names), torch.tensor(samples)
        if self.labels is not None:
            targets = [self.labels.target(*each, self.tokenizer) for each in zip(given, prepared, strict=True)]
            batch["labels"] = self.labels.stack(targets, batch["layout"].side)
        return batch

    def read(self, sample: Sample, prepared: Prepared) -> Tensor | None:
        """The label of a sample, where the task has any."""
        return None if self.labels is None else self.labels.read(sample, prepared, self.tokenizer)

    def _prepare(self, index: int) -> Prepared:
        return self.tokenizer.prepare(self.samples[index])

    def _add(self, index: int) -> None:
        sample, tokenizer = self.samples[index], self.tokenizer
        prepared = tokenizer.prepare(sample)
        label = self.read(sample, prepared)
        length = tokenizer.length(prepared)
        for start, stop in spans(tokenizer, sample.name, prepared):
            tokens = length if stop is None else stop - start + tokenizer.prefix.count
            self.items.append(Item(index, start, stop, tokens))
        self.names[index], self.given[index] = sample.name, label
        self.prepared.offer(index, prepared)
        # Not the values of pictures and sounds: decoders and resamplers differ a little from machine to machine.
        texts = _texts(sample.value)
        said = repr((self.digest, sample.name, None if label is None else label.tolist(), length, texts))
        self.digest = hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()

    def fetch(self, item: Item) -> Fetched:
        """A sample as it is, or the piece of it that `item` names."""
        prepared = part(self.tokenizer, self.prepared[item.sample], item.start, item.stop)
        return item.sample, self.names[item.sample], self.given[item.sample], prepared


def _texts(value: Any) -> Any:
    """What of a sample's value is text: the value itself, or the texts of a sample of several kinds by their names."""
    if isinstance(value, Mapping):
        return sorted((name, each) for name, each in value.items() if isinstance(each, str)) or None
    return value if isinstance(value, str) else None


def spans(tokenizer: Tokenizer, name: str, prepared: Prepared) -> Iterator[tuple[int, int | None]]:
    """(start, stop) of the pieces in which the model takes a sample: all of it, or, where the tokenizer cuts, pieces as
    long as the model takes that begin `stride` tokens apart.

    Raises `BadSample` for a sample that is too long and not to be cut.
    """
    if tokenizer.stride is None or tokenizer.max_length is None:
        tokenizer.check_length(name, prepared)
        yield 0, None
        return
    count = tokenizer.count(prepared)
    for start in range(0, max(count - tokenizer.overlap, 1), tokenizer.stride):
        yield start, min(start + tokenizer.stride + tokenizer.overlap, count)


def part(tokenizer: Tokenizer, prepared: Prepared, start: int, stop: int | None) -> Prepared:
    """One of the `spans` of a sample."""
    return prepared if stop is None else tokenizer.cut(prepared, start, stop)


def pieces(tokenizer: Tokenizer, name: str, prepared: Prepared) -> list[Prepared]:
    """A sample in the pieces that a dataset makes of it. Raises `BadSample` as `spans` does."""
    return [part(tokenizer, prepared, *span) for span in spans(tokenizer, name, prepared)]
