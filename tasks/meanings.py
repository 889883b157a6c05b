"""Which samples say the same: a number for what each says."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from hashlib import blake2b
from typing import Any, cast

import torch
from torch import Tensor

from mmattn.data.labels import Labels
from mmattn.data.source import Sample
from mmattn.sequence import Side
from mmattn.tokenizer import Prepared, Tokenizer

Meaning = Callable[[str], Hashable]
"""What a text says; equal for texts that say the same. The same in every process: no `hash` of Python's own."""


class Meanings(Labels):
    """(documents,) int64: equal for samples whose value `part` says the same.

    Args:
        part: the name of a value of the samples, or of a part of the tokenizer that reads several. What is no text says
            what its sample's class is, or, where it has none, what no other does.
        meaning: what a text says; None: texts that differ say different things.
    """

    def __init__(self, part: str, meaning: Meaning | None = None) -> None:
        self.part, self.meaning = part, meaning

    def read(self, sample: Sample, prepared: Prepared, tokenizer: Tokenizer) -> Tensor:
        named: Any = [self.part] if self.part in sample.value else cast(Any, tokenizer).part(self.part).kinds
        texts = [sample.value[name] for name in named]
        if all(isinstance(text, str) for text in texts):
            meant = [text if self.meaning is None else self.meaning(text) for text in texts]
            said = _written(meant[0] if len(meant) == 1 else tuple(meant))
        else:
            said = f"class {sample.label}" if sample.label is not None else f"sample {sample.name}"
        return torch.tensor(int.from_bytes(blake2b(said.encode(), digest_size=8).digest(), signed=True))

    def stack(self, targets: Sequence[Tensor], side: Side) -> Tensor:
        return torch.stack(list(targets))


def _written(said: Hashable) -> str:
    """The same for equals, in every process: what `repr` makes of a set has an order that is neither."""
    if isinstance(said, frozenset):
        return f"{{{', '.join(sorted(map(_written, said)))}}}"
    return f"({', '.join(map(_written, said))})" if type(said) is tuple else repr(said)
