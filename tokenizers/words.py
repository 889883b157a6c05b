"""Text as whole words: for short texts and few of them, where a rare word says more by being rare than by its parts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from mmattn.data.source import Sample
from mmattn.errors import ConfigError
from mmattn.tokenizers.discrete import text_of
from mmattn.tokenizers.text_files import TextTokenizer

SPECIALS = ("<bos>", "<eos>", "<mask>", "<unk>")
UNKNOWN = SPECIALS.index("<unk>")
WORD = re.compile(r"\w+|[^\w\s]")  # a run of letters and digits, or one sign


class WordTokenizer(TextTokenizer):
    """One token a word or sign; `restore` puts one space between words, and � where a word was unknown.

    Args:
        least: a word that the training data has less often is read as `<unk>`, in training too, so that its vector is
            learned.
        lowercase: read capitals as small letters.
    """

    def __init__(self, dim: int, *, least: int = 2, lowercase: bool = True, **arguments: Any) -> None:
        super().__init__(dim, **arguments)
        if least < 1:
            raise ConfigError(f"tokenizer.least={least} must be at least 1.")
        self.least, self.lowercase = least, lowercase
        self.words: list[str] = []
        self.ids: dict[str, int] = {}

    def fit(self, samples: Sequence[Sample]) -> None:
        counts = Counter(word for sample in samples for word, _ in self._words(text_of(sample)))
        self.restore_state({"words": sorted(word for word, count in counts.items() if count >= self.least)})

    def state(self) -> Mapping[str, Any]:
        return {"words": self.words}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        self.words = list(state["words"])
        self.ids = {word: i for i, word in enumerate(self.words, start=len(SPECIALS))}
        self.define([*SPECIALS, *self.words], {"bos": 0, "eos": 1, "mask": 2, "unknown": UNKNOWN})

    def encode(self, sample: Sample) -> tuple[Tensor, Tensor]:
        found = self._words(text_of(sample))
        ids = torch.tensor([self.ids.get(word, UNKNOWN) for word, _ in found], dtype=torch.int32)
        return ids, torch.tensor([place for _, place in found], dtype=torch.int32)

    def decode(self, ids: Sequence[int]) -> str:
        return " ".join("\ufffd" if i == UNKNOWN else self.words[i - len(SPECIALS)] for i in ids)

    def _words(self, text: str) -> list[tuple[str, int]]:
        """Words and the places of their first characters."""
        found = ((match.group(), match.start()) for match in WORD.finditer(text))
        return [(word.lower() if self.lowercase else word, place) for word, place in found]
