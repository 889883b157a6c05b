"""Text as UTF-8 bytes: nothing to fit, no unknown words, any language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmattn.data.source import Sample
from mmattn.errors import BadSample
from mmattn.tokenizers.discrete import text_of
from mmattn.tokenizers.text_files import TextTokenizer


class ByteTokenizer(TextTokenizer):
    """One token a byte (as ByT5, Xue et al. 2022, https://arxiv.org/abs/2105.13626): 0–255, then bos, eos, mask."""

    def __init__(self, dim: int, **arguments: Any) -> None:
        super().__init__(dim, **arguments)
        names = [printable(bytes([byte])) for byte in range(256)]
        self.define([*names, "<bos>", "<eos>", "<mask>"], {"bos": 256, "eos": 257, "mask": 258})

    def encode(self, sample: Sample) -> tuple[Tensor, Tensor]:
        text = text_of(sample)
        try:
            data = bytearray(text.encode("utf-8"))
        except UnicodeEncodeError as error:
            raise BadSample(
                sample.name, f"is not valid Unicode text at position {error.start + 1} (lone surrogate)"
            ) from error
        if not data:
            return torch.empty(0, dtype=torch.int32), torch.empty(0, dtype=torch.int32)
        ids = torch.frombuffer(data, dtype=torch.uint8).to(torch.int32)
        begins = (ids & 0xC0) != 0x80  # the other bytes of a character are 10xxxxxx
        return ids, begins.cumsum(0, dtype=torch.int32) - 1

    def decode(self, ids: Sequence[int]) -> str:
        return bytes(ids).decode("utf-8", errors="replace")  # a model may write half a character


def printable(data: bytes) -> str:
    """Text for a viewer: a space as `␣`, what does not print as an escape such as `\\n` or `\\xc3`."""
    return repr(data.decode("latin-1") if data.isascii() else data).removeprefix("b")[1:-1].replace(" ", "␣")
