"""`mmattn look` for runs that make one token after the other of something else: words over pictures, either way."""

from __future__ import annotations

import argparse
from typing import Any

from mmattn.cli.look_prompt import read_prompt
from mmattn.cli.seen import Seen, existing, refuse
from mmattn.errors import ConfigError
from mmattn.lens import Row, page, strip
from mmattn.lens.decoded import picture_made, text_made
from mmattn.lens.drawn import readers

STEPWISE = ("edit", "weight", "share", "begin", "steps", "heads")
"""Options that mean nothing here."""


def of_decoded(task: Any, a: argparse.Namespace) -> Seen:
    """Raises ConfigError for runs in which neither side is a picture, and for words that are not known."""
    refuse(a, STEPWISE, "not for runs that make one token after the other")
    layers, limit = readers(task, a.layers), int(a.limit * 2**30)
    make = _of_prompt if task.draws else _of_file
    title, rows = make(task, a, layers, limit)
    return Seen(page(title, rows, [("layers", str(len(layers)))]), strip(rows))


def _of_prompt(task: Any, a: argparse.Namespace, layers: list[str], limit: int) -> tuple[str, list[Row]]:
    if a.file is not None or a.prompt is None:
        raise ConfigError("This run draws prompts: give --prompt, and no file.")
    prompt = read_prompt(task, a.prompt, "--prompt")
    asked = {name: getattr(a, name) for name in ("seed", "guidance") if getattr(a, name) is not None}
    rows = picture_made(task, prompt.text, prompt.prepared, prompt.words, layers, asked, limit=limit)
    return f"Where “{prompt.text}” is read", rows


def _of_file(task: Any, a: argparse.Namespace, layers: list[str], limit: int) -> tuple[str, list[Row]]:
    if not hasattr(task.source, "channels"):
        raise ConfigError("This run makes texts of what is no picture: mmattn look has no picture to show them over.")
    refuse(a, ("seed", "guidance"), "for runs that make pictures; this one takes the likeliest words")
    if a.file is None or a.prompt is not None:
        raise ConfigError("This run says what a picture shows: give its file, and no --prompt.")
    sample = task.source.read(existing(a.file))[0]
    rows = text_made(task, a.file, task.source.prepare(sample), layers, limit=limit)
    return f"Where {a.file} is looked at", rows
