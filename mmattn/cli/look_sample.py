"""`mmattn look` for runs that draw nothing: which tokens of a sample read which."""

from __future__ import annotations

import argparse
from typing import Any

from mmattn.cli.seen import Seen, existing, refuse
from mmattn.data.dataset import pieces
from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.lens import Row, page, strip
from mmattn.lens.matrix import matrices_page, matrices_strip
from mmattn.lens.own import TOKENS, own_layers, own_maps

DRAWING = ("edit", "weight", "share", "begin", "guidance", "steps", "seed")
"""Options that mean nothing here."""


def of_sample(task: Any, a: argparse.Namespace) -> Seen:
    """The first sample of a file, or a text; of a long one the first piece. Raises ConfigError where there is none."""
    refuse(a, DRAWING, "for runs that draw prompts in steps from noise; this one does not")
    if (a.file is None) == (a.prompt is None):
        raise ConfigError("Give a file, or a text by --prompt: one of them is looked at.")
    tokenizer, layers = task.tokenizer, own_layers(task, a.layers)
    sample = Sample("--prompt", a.prompt) if a.file is None else tokenizer.read(existing(a.file))[0]
    prepared = pieces(tokenizer, sample.name, tokenizer.prepare(sample))[0]
    found = own_maps(task, prepared, layers, a.heads, limit=int(a.limit * 2**30))
    count = tokenizer.length(prepared)
    title = f"Self-attention in {a.file or repr(a.prompt)}"
    facts = [("layers", str(len(found))), ("tokens", str(count))]
    if isinstance(found[0], Row):
        return Seen(page(title, found, facts), strip(found))
    if count > TOKENS:
        facts.append(("shown", f"the first {TOKENS}"))
    return Seen(matrices_page(title, found, facts), matrices_strip(found))
