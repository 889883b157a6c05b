"""Files of one sample."""

from __future__ import annotations

from pathlib import Path

from mmattn.data.files import similar
from mmattn.data.source import Sample
from mmattn.errors import BadSample
from mmattn.tokenizer import Tokenizer


def only_sample(path: Path, tokenizer: Tokenizer, option: str = "") -> Sample:
    """The sample of a file that holds one; an error names the file, behind the option that gave it.

    Raises `BadSample` for a file that is not there, cannot be read or holds several.
    """
    name = f"{option} {path}".strip()
    if not path.is_file():
        raise BadSample(name, f"there is no such file.{similar(path)}")
    samples = tokenizer.read(path)
    if len(samples) != 1:
        raise BadSample(name, f"holds {len(samples)} samples: give a file of one")
    return samples[0]
