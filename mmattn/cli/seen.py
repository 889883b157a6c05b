"""What the kinds of `mmattn look` share: what they give, and what they refuse."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from mmattn.errors import ConfigError


class Seen(NamedTuple):
    """What is written: an HTML document and a picture."""

    page: str
    strip: Image.Image


def refuse(a: argparse.Namespace, options: Sequence[str], said: str) -> None:
    """Raise ConfigError for those of the options that are given; `said` is why."""
    given = [f"--{name}" for name in options if getattr(a, name) not in (None, [])]
    if given:
        raise ConfigError(f"{', '.join(given)}: {said}.")


def existing(file: str) -> Path:
    """Raises ConfigError where there is no such file."""
    if not Path(file).is_file():
        raise ConfigError(f"{file}: there is no such file.")
    return Path(file)
