"""`mmattn generate` for runs that make pictures of a prompt."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from PIL import Image

from mmattn.data.prompts import known
from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.report.pictures import in_rows


def draw(task: Any, prompt: Sample, count: int, seed: int, out: str, asked: dict[str, Any]) -> Path:
    """Write `count` pictures of a prompt, eight in a row, as a PNG; `asked` goes on to the task's `pictures`.

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
            able = ", ".join(f"--{each.replace('_', '-')}" for each in task.asks)
            raise ConfigError(f"--{name.replace('_', '-')}: pictures of this run are made with {able}.")
    made = task.pictures(contexts, count=count, seed=seed, **given)
    if empty:
        print("The prompt is empty: pictures are unconditional, of what the training showed.", file=sys.stderr)
    try:
        Image.fromarray(in_rows(made)).save(path)
    except OSError as error:
        raise ConfigError(f"--out={out} cannot be written: {error}") from error
    return path
