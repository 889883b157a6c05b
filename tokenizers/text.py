"""Text as UTF-8 bytes: nothing to fit, no unknown words, any language."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from mmattn.data.readers import read_text
from mmattn.data.source import Sample
from mmattn.errors import BadSample
from mmattn.tokenizers.discrete import DiscreteTokenizer, text_of


class ByteTokenizer(DiscreteTokenizer):
    """One token a byte (as ByT5, Xue et al. 2022, https://arxiv.org/abs/2105.13626): 0–255, then bos, eos, mask."""

    def __init__(
        self,
        dim: int,
        *,
        bos: bool = False,
        eos: bool = False,
        max_length: int | None = None,
        stride: int | None = None,
        prefix: int = 0,
    ) -> None:
        super().__init__(dim, bos=bos, eos=eos, max_length=max_length, stride=stride, prefix=prefix)
        names = [printable(bytes([byte])) for byte in range(256)]
        self.define([*names, "<bos>", "<eos>", "<mask>"], {"bos": 256, "eos": 257, "mask": 258})

    def encode(self, sample: Sample) -> Tensor:
        try:
            data = bytearray(text_of(sample).encode("utf-8"))
        except UnicodeEncodeError as error:
            raise BadSample(
                sample.name, f"is not valid Unicode text at position {error.start + 1} (lone surrogate)"
            ) from error
        return torch.frombuffer(data, dtype=torch.uint8).to(torch.int32) if data else torch.empty(0, dtype=torch.int32)

    def decode(self, ids: Sequence[int]) -> str:
        return bytes(ids).decode("utf-8", errors="replace")  # a model may write half a character

    def read(self, path: Path) -> Sequence[Sample]:
        return [Sample(str(path), read_text(path))]


def printable(data: bytes) -> str:
    """Text for a viewer: a space as `␣`, what does not print as an escape such as `\\n` or `\\xc3`."""
    return repr(data.decode("latin-1") if data.isascii() else data).removeprefix("b")[1:-1].replace(" ", "␣")
