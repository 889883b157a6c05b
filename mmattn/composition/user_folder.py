"""`--config-dir DIR`: a user's own yaml files and Python modules."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from mmattn.errors import ConfigError

APART = ("compare", "runs")
"""Folders of yaml files that are nobody's parts: those of comparisons, which keep their settings, and of runs."""


def digest(folder: Path) -> str:
    """Of the yaml files and Python modules of a folder, wherever it lies; of folders that are `APART` the modules
    alone. Links are followed that stand in the folder itself, of which our package is made, and none below."""
    folder, found = folder.expanduser(), hashlib.sha256()
    paths = [path for top in folder.iterdir() for path in (top, *top.rglob("*"))]
    kept = (path for path in paths if path.suffix == ".py" or (path.suffix == ".yaml" and not _apart(path, folder)))
    for path in sorted(kept):
        found.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()[:16]


def _apart(path: Path, folder: Path) -> bool:
    return not set(APART).isdisjoint(path.relative_to(folder).parts)


def bring(config_dir: str | None) -> tuple[Path | None, list[str]]:
    """The folder, put on the import path, and the names of the top-level modules that it brings.

    Names of the standard library are not among them, so that a file `os.py` does not make `os.system` trusted.
    Raises `ConfigError` where there is no such folder.
    """
    if config_dir is None:
        return None, []
    folder = Path(config_dir).expanduser().resolve()
    if not folder.is_dir():
        raise ConfigError(f"--config-dir {config_dir}: there is no such folder.")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    names = {path.stem for path in folder.glob("*.py")} | {path.parent.name for path in folder.glob("*/*.py")}
    return folder, sorted(name for name in names if name.isidentifier() and name not in sys.stdlib_module_names)
