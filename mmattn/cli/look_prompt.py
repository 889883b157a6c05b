"""`mmattn look` for runs that make pictures: where the words of a prompt are read, before and after edits."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmattn.cli.seen import Seen
from mmattn.data.prompts import known
from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.lens import Chain, Rescale, page, strip
from mmattn.lens.drawn import draw, info_of, injected, layer_row, readers, step_row, word_row
from mmattn.lens.page import Row
from mmattn.lens.words import Word, keys_of, with_others, words_of
from mmattn.limits import within
from mmattn.tokenizer import Prepared

USUAL = {"steps": 20, "guidance": 3.0, "seed": 0}
"""What a picture is drawn with, unless the options say otherwise."""


@dataclass(frozen=True)
class Prompt:
    """As it was written, as the model reads it, and its words with the other tokens."""

    text: str
    prepared: Prepared
    words: Sequence[Word]


def of_prompt(task: Any, a: argparse.Namespace) -> Seen:
    """Raises ConfigError for words that are not known, and for maps that do not fit."""
    if a.file is not None or a.heads is not None or a.prompt is None:
        raise ConfigError("This run draws prompts: give --prompt, and neither a file nor --heads.")
    if a.share is not None and a.edit is None:
        raise ConfigError("--share says in how many steps --edit takes the first prompt's maps: give --edit, too.")
    if a.begin is not None and (a.edit is None or a.weight):
        raise ConfigError("--begin says how long --edit reads the first prompt: give --edit, and no --weight.")
    begin = 0.5 if a.begin is None else a.begin
    within("--begin", begin, least=0, most=1)
    prompt = read_prompt(task, a.prompt, "--prompt")
    other = prompt if a.edit is None else read_prompt(task, a.edit, "--edit")
    louder = [_weight(each, other) for each in a.weight]
    layers, info = readers(task, a.layers), info_of(task)
    usual = {name: value for name, value in USUAL.items() if name in ("seed", *task.asks)}
    asked = usual | {name: getattr(a, name) for name in USUAL if getattr(a, name) is not None}
    limit = int(a.limit * 2**30)
    first = draw(task, prompt.prepared, layers, asked, keep=a.edit is not None, limit=limit)
    said = "".join(f", {each}" for each in a.weight)
    edits = {other.text + said: Chain(*louder)} if louder else {}
    if first.maps is not None:
        maps = injected(task, first.maps, prompt.prepared, other.prepared, 1.0 if a.share is None else a.share)
        edits = {
            f"{other.text}{said} (maps of the first prompt injected)": Chain(maps, *louder),
            f"{other.text}{said} (its own maps, the same noise)": Chain(*louder),
        }
    rows = [word_row(prompt.text, first, prompt.words, info)]
    for title, edit in edits.items():
        after = draw(task, other.prepared, layers, asked, edit=edit, limit=limit)
        rows.append(word_row(title, after, other.words, info))
    if a.edit is not None and not louder:
        (picture,) = task.pictures([other.prepared], count=1, **asked, before=[prompt.prepared], begin=begin)
        rows.append(Row(f"{other.text} (the first {begin:.0%} of the steps read the first prompt)", picture, []))
    more = [make(word, first, info) for make in (step_row, layer_row) for word in prompt.words]
    facts = [("layers", str(len(layers))), *((name, str(value)) for name, value in asked.items())]
    title = f"Where “{prompt.text}” is read"
    return Seen(page(title, rows, facts, more), strip(rows))


def read_prompt(task: Any, text: str, option: str) -> Prompt:
    """A prompt and its words. Raises ConfigError for one that is empty or has words that are not known."""
    if not text.strip():
        raise ConfigError(f"{option} is empty: a picture of no prompt is unconditional, and no word is read in it.")
    prepared = known(task.source, Sample(option, text))
    words = words_of(task.source, prepared, text)
    return Prompt(text, prepared, with_others(task.source, prepared, words))


def _weight(given: str, prompt: Prompt) -> Rescale:
    """Of `circle=2`."""
    word, _, said = given.rpartition("=")
    try:
        factor = float(said)
    except ValueError:
        factor = -1.0
    if not word or not 0 <= factor < float("inf"):
        raise ConfigError(f"--weight {given}: write it as WORD=FACTOR with a factor of at least 0, such as circle=2.")
    return Rescale(keys_of(prompt.words, word, f"--weight {given}"), factor)
