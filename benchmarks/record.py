"""What was measured, as files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmattn.benchmarks.machine import commit, machine, versions
from mmattn.benchmarks.roofline import Roofline
from mmattn.errors import MmattnError


def about(threads: int) -> dict[str, Any]:
    """Machine, versions, commit and threads."""
    return {"machine": machine(), "versions": versions(), "commit": commit(), "threads": threads}


def facts(threads: int, roofline: Roofline) -> dict[str, Any]:
    """The same, and the machine's peaks."""
    return {**about(threads), "roofline": roofline._asdict()}


def save(path: Path, text: str) -> None:
    """Raises MmattnError where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MmattnError(f"{path} cannot be written: {error.strerror}.") from error


def save_json(path: str | None, known: dict[str, Any], **measured: Sequence[dict[str, Any]]) -> None:
    """One object of facts and measurements; nothing where no path is given."""
    if path is not None:
        save(Path(path), json.dumps(known | measured, indent=1))
