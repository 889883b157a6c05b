"""What was measured already: a json file for each part of a comparison."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from mmattn.errors import RunError


class Kept:
    """`kept("lstm/seed_1", measure)` gives what `measure()` gave when it was first called, in this process or before.

    Values are numbers, texts, lists and mappings of such; `say` is told what was found and how long it took.
    """

    def __init__(self, folder: Path, say: Callable[[str], None] = print) -> None:
        self.folder, self.say = folder, say

    def __call__(self, name: str, measure: Callable[[], Any]) -> Any:
        """Raises `RunError` where a file cannot be read or written."""
        path = self.folder / f"{name}.json"
        if path.is_file():
            try:
                return json.loads(path.read_text(encoding="utf-8"))
            except (OSError, json.JSONDecodeError) as error:
                raise RunError(f"{path} cannot be read ({error}); remove it, and it is measured again.") from error
        began = time.monotonic()
        value = measure()
        text = json.dumps(value, indent=1)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            half = path.with_suffix(".part")
            half.write_text(text + "\n", encoding="utf-8")
            half.replace(path)  # whole or not at all
        except OSError as error:
            raise RunError(f"{path} cannot be written ({error}).") from error
        self.say(f"  {name}: {summary(value)} ({time.monotonic() - began:.1f} s)")
        return json.loads(text)

    def seeded(
        self, names: Iterable[str], seeds: Iterable[int], measure: Callable[[str, int], Any], folder: str = ""
    ) -> dict[str, list[Any]]:
        """By name, what `measure(name, seed)` gave for each seed."""
        every = tuple(seeds)
        return {
            name: [self(f"{folder}{name}_{seed}", partial(measure, name, seed)) for seed in every] for name in names
        }


def summary(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {summary(each)}" for name, each in list(value.items())[:4])
    if isinstance(value, list):
        return f"{len(value)} values"
    return f"{value:.4g}" if isinstance(value, float) and math.isfinite(value) else str(value)
