"""Finding the files of a data folder, with errors that say what to put where."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from mmattn.data.source import SPLITS, Split
from mmattn.errors import ConfigError, nearest

Named = TypeVar("Named")

SPLIT_FOLDERS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}


def folder(root: str | Path, expected: str) -> Path:
    """The folder `data.root`, `~` expanded; raises `ConfigError` that says what is `expected` there."""
    path = Path(root).expanduser()
    if path.is_dir():
        return path
    if path.exists():
        raise ConfigError(f"data.root={root} is a file: give the folder that holds {expected}.")
    raise ConfigError(
        f"data.root={root}: there is no such folder ({path.absolute()}); it should hold {expected}.{similar(path)}"
    )


def file(path: Path, key: str) -> Path:
    """A file that a config key names; raises `ConfigError` with the nearest name beside it."""
    if path.is_file():
        return path
    raise ConfigError(f"{key} names {path}, and there is no such file: correct {key} or data.root.{similar(path)}")


def by_split(named: Mapping[Split, Named | None]) -> dict[Split, Named]:
    """`data.files` without nulls; raises `ConfigError` for a key that is no split, and for nothing to train on."""
    splits = {split: value for split, value in named.items() if value is not None}
    for split in splits:
        if split not in SPLITS:
            raise ConfigError(f"data.files.{split} is no split (train, validation, test).{nearest(split, SPLITS)}")
    if "train" not in splits:
        raise ConfigError("data.files.train is missing: name what to train on.")
    return splits


def expression(key: str, pattern: str, group: str | None = None) -> re.Pattern[str]:
    """A regular expression of the config, which must have the group; raises `ConfigError`."""
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ConfigError(f"data.{key}='{pattern}' is not a regular expression ({error}): correct it.") from error
    if group is not None and group not in compiled.groupindex:
        raise ConfigError(
            f"data.{key}='{pattern}' has no group (?P<{group}>...): add one around the part that names the {group}."
        )
    return compiled


def similar(path: Path) -> str:
    """A hint at the nearest name beside a path that is not there."""
    return nearest(path.name, (each.name for each in path.parent.iterdir())) if path.parent.is_dir() else ""


def subfolders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))


def split_folders(root: Path) -> dict[Split, Path]:
    """Folders by split: `train`, `validation` (`valid`, `val`, `dev`) and `test` below root, or root alone as train.

    Raises `ConfigError` for a root where folders of splits stand among others, or twice.
    """
    folders = subfolders(root)
    named = [path for path in folders if path.name in SPLIT_FOLDERS]
    others = [path.name for path in folders if path.name not in SPLIT_FOLDERS]
    if not named or (others and len(named) == 1):  # one alone among classes is a class, say of vehicles
        return {"train": root}
    if others:
        raise ConfigError(
            f"{root} holds the splits {_listed(p.name for p in named)} and also '{others[0]}': "
            "move the latter elsewhere."
        )
    splits: dict[Split, Path] = {}
    for path in named:
        split = SPLIT_FOLDERS[path.name]
        if split in splits:
            raise ConfigError(f"{root} holds two {split} folders, '{splits[split].name}' and '{path.name}': keep one.")
        splits[split] = path
    if "train" not in splits:
        raise ConfigError(f"{root} holds {_listed(p.name for p in named)} and no 'train': add a folder 'train'.")
    return splits


def visible(root: Path) -> list[Path]:
    """Files below root in the order of their paths, without hidden ones and those in hidden folders."""
    return [
        path
        for path in sorted(root.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    ]


def find(root: Path, suffixes: Collection[str], kind: str) -> tuple[list[Path], Counter[str]]:
    """Files below root with one of the suffixes, in the order of their paths, and how many have which other suffix.

    Hidden files are not counted. Raises `ConfigError` where there is none.
    """
    found, others = [], Counter[str]()
    for path in visible(root):
        if path.suffix.lower() in suffixes:
            found.append(path)
        else:
            others[path.suffix.lower() or path.name] += 1
    if not found:
        has = f" (it holds {_listed(others)})" if others else ""
        raise ConfigError(f"{root} holds no {kind} file{has}: put {', '.join(sorted(suffixes))} files there.")
    return found, others


def left_out(others: Counter[str], kind: str) -> tuple[str, ...]:
    """A note on files of other suffixes."""
    if not others:
        return ()
    counts = ", ".join(f"{count} × {suffix}" for suffix, count in sorted(others.items()))
    return (f"{sum(others.values())} files left out that are not {kind}: {counts}.",)


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """Distinct labels in order: by number where all are whole numbers, else by alphabet."""
    distinct = set(labels)
    if all(label.removeprefix("-").isdecimal() for label in distinct):
        return tuple(sorted(distinct, key=lambda label: (int(label), label)))
    return tuple(sorted(distinct))


def unknown_label(label: str, where: str, classes: Iterable[str]) -> ConfigError:
    """The error for a label that no training sample has."""
    names = list(classes)
    return ConfigError(
        f"{where}: the label '{label}' is not among the classes of the training data ({_listed(names)}): "
        f"correct it, or add training samples of it.{nearest(label, names)}"
    )


def _listed(names: Iterable[str], most: int = 12) -> str:
    all_names = [f"'{name}'" for name in names]
    return ", ".join(all_names[:most]) + (f" and {len(all_names) - most} more" if len(all_names) > most else "")
