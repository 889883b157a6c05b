"""One sample of several kinds of data as a file of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmattn.data.only_sample import only_sample
from mmattn.data.source import Sample
from mmattn.errors import BadSample, nearest
from mmattn.tokenizer import Tokenizer


def read_sample(path: Path, parts: Mapping[str, Tokenizer]) -> Sample:
    """`{"text": "three", "sound": "clip.wav"}`: texts as they are, other kinds as files, named from where `path` lies;
    which is which the tokenizers say (`Tokenizer.written`).

    Raises `BadSample` for what is no such file, and for parts that it lacks or that nobody reads.
    """
    said = _object(path)
    for name in said:
        if name not in parts:
            raise BadSample(str(path), f"holds '{name}', and read are {', '.join(parts)}.{nearest(name, parts)}")
    value = {}
    for name, part in parts.items():
        if not isinstance(said.get(name), str):
            wanted = "a text" if part.written else "the name of a file"
            raise BadSample(str(path), f"'{name}' is {wanted}, and is {'no string' if name in said else 'missing'}")
        value[name] = said[name] if part.written else only_sample(path.parent / said[name], part).value
    return Sample(str(path), value)


def _object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadSample(
            str(path), f'is no sample of several kinds, {{"text": "…", "sound": "clip.wav"}}: {error}'
        ) from error
    if not isinstance(found, dict):
        raise BadSample(str(path), "holds no JSON object, a name and a value for each kind of data")
    return found
