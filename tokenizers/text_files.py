"""What tokenizers of texts share: a file is one text, or a text on each of its lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmattn.data.readers import read_text
from mmattn.data.source import Sample
from mmattn.errors import BadSample
from mmattn.tokenizers.discrete import DiscreteTokenizer


class TextTokenizer(DiscreteTokenizer):
    """`DiscreteTokenizer` of texts, which are read from UTF-8 files.

    Args:
        lines: each line of a file that `mmattn predict` reads is a text, its line end and outer white space left out;
            blank lines are none. Otherwise a file is one text, as it stands.
    """

    def __init__(self, dim: int, *, lines: bool = False, **arguments: Any) -> None:
        super().__init__(dim, **arguments)
        self.lines = lines

    def read(self, path: Path) -> Sequence[Sample]:
        text = read_text(path)
        if not self.lines:
            return [Sample(str(path), text)]
        numbered = enumerate(text.removeprefix("\ufeff").split("\n"), start=1)
        found = [Sample(f"{path}, line {number}", line.strip()) for number, line in numbered if line.strip()]
        if not found:
            raise BadSample(str(path), "holds no text: write one on each line")
        return found
