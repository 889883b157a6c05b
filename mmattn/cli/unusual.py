"""Prompts that are drawn though training never had their like."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from hydra.utils import get_object

from mmattn.build import make
from mmattn.data.source import Source
from mmattn.run import Run


def tell_unusual(folder: str, prompts: Iterable[Any]) -> None:
    """Say on standard error what in each prompt that is a text the data of a run never ask for, where they can tell."""
    config = Run.open(folder).config
    kind = get_object(config.data._target_)
    if getattr(kind, "unusual", Source.unusual) is Source.unusual:
        return  # a source that cannot tell is not made: it may have many files to read
    source: Source = make(config, "data")
    for prompt in prompts:
        if isinstance(prompt, str) and prompt.strip() and (said := source.unusual(prompt)):
            print(f"'{prompt}' is unlike what this run learned from, and may be drawn wrong. {said}", file=sys.stderr)
