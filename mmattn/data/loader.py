"""Data loaders whose worker processes hand over their errors as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader, Dataset

from mmattn.errors import MmattnError
from mmattn.tokenizer import Batch


class Guarded(Dataset[Any]):
    """The batches of another dataset; where one cannot be made, the error in its place.

    torch would raise a worker's error as a RuntimeError around the text of its traceback.
    """

    def __init__(self, dataset: Dataset[Batch]) -> None:
        self.dataset = dataset

    def __getitem__(self, places: Any) -> Batch | MmattnError | OSError:
        try:
            return self.dataset[places]
        except (MmattnError, OSError) as error:
            return error


class Loader(DataLoader[Any]):
    """Batches of a `Guarded` dataset. Raises the errors that it hands over."""

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        for batch in super().__iter__():
            if isinstance(batch, MmattnError | OSError):
                raise batch
            yield batch


def as_it_is(batch: Any) -> Any:
    """The `collate_fn` of batches that are collated already."""
    return batch
