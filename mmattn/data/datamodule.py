"""A source's splits, prepared by a tokenizer, as Lightning's data loaders."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import lightning
from torch.utils.data import DataLoader, Dataset

from mmattn.data.batches import InOrder, Shuffled
from mmattn.data.dataset import PreparedDataset
from mmattn.data.labels import Labels
from mmattn.data.loader import Guarded, Loader, as_it_is
from mmattn.data.source import Sample, Source, Split
from mmattn.data.split import cut, picked
from mmattn.data.usable import fit_on_usable
from mmattn.data.variations import Variations
from mmattn.errors import ConfigError
from mmattn.limits import whole, within
from mmattn.tokenizer import Batch, Tokenizer


class DataModule(lightning.LightningDataModule):
    """Splits → prepared datasets → loaders.

    Args:
        source: raw samples.
        tokenizer: prepares them; fitted on the training split in `fit_tokenizer`.
        batch_size: samples a training batch.
        evaluation_batch_size: samples a validation or test batch; default twice as many.
        validation_fraction: cut off the training split where the source has no validation split.
        pool: see `Shuffled`.
        workers: processes that prepare batches.
        kept_gigabytes: memory for the prepared samples of a split; those that do not fit are prepared when needed.
        on_bad_sample: `raise` or `skip` (counted, and reported).
        seed: of the split, the order and the augmentation.
    """

    def __init__(
        self,
        source: Source,
        tokenizer: Tokenizer,
        *,
        batch_size: int = 64,
        evaluation_batch_size: int | None = None,
        validation_fraction: float = 0.1,
        pool: int = 50,
        workers: int = 0,
        kept_gigabytes: float = 4.0,
        on_bad_sample: str = "raise",
        seed: int = 0,
    ) -> None:
        super().__init__()
        whole("loader.batch_size", batch_size, 1)
        if evaluation_batch_size is not None:
            whole("loader.evaluation_batch_size", evaluation_batch_size, 1)
        whole("loader.pool", pool, 1)
        whole("loader.workers", workers, 0)
        whole("loader.seed", seed, 0)
        within("loader.kept_gigabytes", kept_gigabytes, least=0)
        self.source, self.tokenizer = source, tokenizer
        self.batch_size, self.evaluation_batch_size = batch_size, evaluation_batch_size or 2 * batch_size
        self.pool, self.workers, self.on_bad_sample, self.seed = pool, workers, on_bad_sample, seed
        self.kept_gigabytes = kept_gigabytes
        self.labels: Labels | None = None
        self.first_epoch = 0
        self.splits = _splits(source, validation_fraction, seed)
        self._datasets: dict[Split, PreparedDataset] = {}

    def fit_tokenizer(self) -> None:
        """Fit the tokenizer on the training split, before any dataset is prepared."""
        if self.on_bad_sample == "skip":
            fit_on_usable(self.tokenizer, self.splits["train"])
        else:
            self.tokenizer.fit(self.splits["train"])

    def dataset(self, split: Split) -> PreparedDataset:
        """The prepared samples of a split. Raises `ConfigError` where the source has none."""
        if split not in self.splits:
            raise ConfigError(f"This data has no {split} split; it has {', '.join(self.splits)}.")
        if split not in self._datasets:
            # What augmentation makes of a sample is new each time: there is nothing to keep.
            useless = split == "train" and self.tokenizer.varies
            dataset = PreparedDataset(
                self.splits[split],
                self.tokenizer,
                self.labels,
                on_bad_sample=self.on_bad_sample,
                kept_bytes=0 if useless else self.kept_gigabytes * 1e9,
            )
            if not len(dataset):
                raise ConfigError(
                    f"The {split} split has no usable sample ({len(dataset.skipped)} were skipped): give it some."
                )
            self._datasets[split] = dataset
        return self._datasets[split]

    @cached_property
    def training(self) -> Variations:
        """The training split, augmented."""
        return Variations(self.dataset("train"), self.seed)

    @property
    def training_batches(self) -> Shuffled:
        """The batches of an epoch of training."""
        lengths = self.training.lengths
        return Shuffled(lengths, self.batch_size, seed=self.seed, pool=self.pool, epoch=self._epoch)

    def loader(self, split: Split) -> DataLoader[Batch]:
        """Batches of a split for evaluation, the training split too: as they are, in the same order each time."""
        dataset = self.dataset(split)
        return self._loaded(dataset, InOrder(dataset.lengths, self.evaluation_batch_size))

    def _loaded(self, dataset: Dataset[Batch], batches: Any) -> DataLoader[Batch]:
        return Loader(
            Guarded(dataset),
            sampler=batches,
            batch_size=None,  # the sampler makes the batches, the dataset collates them
            collate_fn=as_it_is,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
        )

    def _epoch(self) -> int:
        """The epoch that begins. When a run is resumed, Lightning asks before it has corrected its own count."""
        return max(self.trainer.current_epoch, self.first_epoch) if self.trainer else 0

    def train_dataloader(self) -> DataLoader[Batch]:
        return self._loaded(self.training, self.training_batches)

    def val_dataloader(self) -> DataLoader[Batch]:
        return self.loader("validation")

    def test_dataloader(self) -> DataLoader[Batch]:
        return self.loader("test")


def _splits(source: Source, validation_fraction: float, seed: int) -> dict[Split, Sequence[Sample]]:
    """The source's own splits; a validation split is cut from the training split where it has none."""
    splits: dict[Split, Sequence[Sample]] = {}
    for name in ("train", "validation", "test"):
        samples = source.samples(name)  # type: ignore[arg-type]
        if samples is not None:
            splits[name] = samples  # type: ignore[index]
    if "train" not in splits or not len(splits["train"]):
        raise ConfigError(f"{type(source).__name__} gives no training samples.")
    if "validation" not in splits:
        within("loader.validation_fraction", validation_fraction, above=0, below=1)
        train = splits["train"]
        rest, part = cut(train, validation_fraction, seed, source.classes)
        splits["train"], splits["validation"] = picked(train, rest), picked(train, part)
    return splits
