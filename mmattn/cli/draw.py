"""`mmattn generate` for runs that make pictures of a prompt."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mmattn.data.source import Sample
from mmattn.errors import ConfigError, nearest
from mmattn.tokenizer import Prepared

GAP = 2  # white pixels between pictures


def draw(task: Any, prompt: Sample, count: int, seed: int, out: str, asked: dict[str, Any]) -> Path:
    """Write `count` pictures of a prompt side by side, as a PNG; `asked` goes on to the task's `pictures`.

    Raises ConfigError for a prompt that is not what the run reads or has words that its tokenizer does not know, and
    for a file that is no PNG or cannot be written.
    """
    path = Path(out)
    if path.suffix.lower() != ".png":
        raise ConfigError(f"--out={out}: pictures are written as PNG; name the file so.")
    if count < 1:
        raise ConfigError(f"--count={count} must be at least 1 picture.")
    empty = isinstance(prompt.value, str) and not prompt.value.strip()
    contexts = None if empty else [known(task.source, prompt)] * count
    given = {name: value for name, value in asked.items() if value is not None}
    for name in given:
        if name not in task.asks:
            able = ", ".join(f"--{each}" for each in task.asks)
            raise ConfigError(f"--{name}: pictures of this run are made with {able}.")
    made = task.pictures(contexts, count=count, seed=seed, **given)
    if empty:
        print("The prompt is empty: pictures are made without a condition.", file=sys.stderr)
    try:
        Image.fromarray(side_by_side(made)).save(path)
    except OSError as error:
        raise ConfigError(f"--out={out} cannot be written: {error}") from error
    return path


def known(source: Any, prompt: Sample) -> Prepared:
    """The prompt as the tokenizer of contexts prepares it. Raises ConfigError for a text where it reads no texts, and
    naming words that it does not know."""
    if isinstance(prompt.value, str) and source.vocabulary is None:
        raise ConfigError(
            f"--prompt is a text, and this run reads no texts ({type(source).__name__}): name a file, --prompt-file."
        )
    prepared = source.prepare(prompt)
    unknown = getattr(source, "unknown_id", None)
    if unknown is None or not bool((prepared["ids"] == unknown).any()):
        return prepared
    places = source.units(prepared)[prepared["ids"] == unknown].tolist()
    words = [found.group() for place in places if (found := re.match(r"\w+|\S", prompt.value[place:]))]
    meant = "".join(nearest(word.lower(), source.vocabulary) for word in words[:1])
    raise ConfigError(f"{prompt.name}: training never showed {', '.join(map(repr, words))}.{meant}")


def side_by_side(pictures: list[np.ndarray]) -> np.ndarray:
    """uint8 pictures of one size in a row, with a gap between them."""
    gap = np.full((pictures[0].shape[0], GAP, *pictures[0].shape[2:]), 255, np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)][:-1]
    return np.concatenate(parts, 1)
