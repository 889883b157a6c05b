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
FEW = 40  # words that a message lists


def draw(task: Any, prompt: str, count: int, seed: int, out: str, asked: dict[str, Any]) -> Path:
    """Write `count` pictures of a prompt side by side, as a PNG; `asked` goes on to the task's `pictures`.

    Raises ConfigError for a prompt with words that the run's tokenizer does not know, and for a file that is no PNG or
    cannot be written.
    """
    path = Path(out)
    if path.suffix.lower() != ".png":
        raise ConfigError(f"--out={out}: pictures are written as PNG; name the file so.")
    if count < 1:
        raise ConfigError(f"--count={count} must be at least 1 picture.")
    if not prompt.strip():
        print("The prompt is empty: pictures are unconditional, of what the training showed.", file=sys.stderr)
        contexts = None
    else:
        contexts = [known(task.source, prompt)] * count
    given = {name: value for name, value in asked.items() if value is not None}
    for name in given:
        if name not in task.asks:
            able = ", ".join(f"--{each}" for each in task.asks)
            raise ConfigError(f"--{name}: pictures of this run are made with {able}.")
    made = task.pictures(contexts, count=count, seed=seed, **given)
    try:
        Image.fromarray(side_by_side(made)).save(path)
    except OSError as error:
        raise ConfigError(f"--out={out} cannot be written: {error}") from error
    return path


def known(source: Any, prompt: str, option: str = "--prompt") -> Prepared:
    """The prompt as the tokenizer of contexts prepares it; `option` begins messages.

    Raises ConfigError naming the words that it does not know, and for each the nearest that it knows.
    """
    prepared: Prepared = source.prepare(Sample("the prompt", prompt))
    unknown = getattr(source, "unknown_id", None)
    if unknown is None or not bool((prepared["ids"] == unknown).any()):
        return prepared
    places = source.units(prepared)[prepared["ids"] == unknown].tolist()
    words = [found.group() for place in places if (found := re.match(r"\w+|\S", prompt[place:]))]
    vocabulary = [word for index, word in enumerate(source.vocabulary) if index not in source.special_ids]
    meant = "".join(dict.fromkeys(nearest(word.lower(), vocabulary) for word in words))
    if not meant and len(vocabulary) <= FEW:
        meant = f" It knows: {', '.join(vocabulary)}."
    raise ConfigError(f"{option}: training never showed {', '.join(map(repr, words))}.{meant}")


def side_by_side(pictures: list[np.ndarray]) -> np.ndarray:
    """uint8 pictures of one size in a row, with a gap between them."""
    gap = np.full((pictures[0].shape[0], GAP, *pictures[0].shape[2:]), 255, np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)][:-1]
    return np.concatenate(parts, 1)
