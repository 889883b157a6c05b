"""Whether the data of a run are still those that it was trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from mmattn.data.datamodule import DataModule
from mmattn.data.source import Split
from mmattn.errors import RunError
from mmattn.run import Run


def described(data: DataModule) -> dict[str, Any]:
    """What `split.json` holds: names of the samples of each split that are used, and digests of what they are."""
    datasets = {split: data.dataset(split) for split in data.splits}
    digests = {split: dataset.digest for split, dataset in datasets.items()}
    return {**{split: list(dataset.names.values()) for split, dataset in datasets.items()}, "digests": digests}


def check_same_data(run: Run, data: DataModule, splits: Sequence[Split]) -> None:
    """Raise `RunError` saying what is different in one of the splits; a run of long ago knows names alone."""
    then = run.read("split.json")
    for split in splits:
        names = list(data.dataset(split).names.values())
        if then.get(split) != names:
            difference = _difference(then.get(split, []), names)
        elif then.get("digests", {}).get(split) not in (None, data.dataset(split).digest):
            difference = "their names are the same, and labels, lengths or texts are not"
        else:
            continue
        raise RunError(
            f"The {split} samples of {run.folder} are not those of its training: {difference}. Put the data back, or "
            "add --other-data to go on with these."
        )


def _difference(then: Sequence[str], now: Sequence[str]) -> str:
    changes = {"new": Counter(now) - Counter(then), "gone": Counter(then) - Counter(now)}
    if not any(changes.values()):
        return "they are in another order"
    said = [f"{names.total()} {what} (such as '{next(iter(names))}')" for what, names in changes.items() if names]
    return f"there were {len(then):,} and are {len(now):,}, {' and '.join(said)}"
