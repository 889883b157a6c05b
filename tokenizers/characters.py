"""Text as characters of the training data: what "nats a character" is measured in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizers.discrete import text_of
from mmattn.tokenizers.text_files import TextTokenizer

SPECIALS = ("<bos>", "<eos>", "<mask>")
UNKNOWN = "<unk>"
ROLES = {"bos": 0, "eos": 1, "mask": 2, "unknown": 3}


class CharacterTokenizer(TextTokenizer):
    """One token a Unicode code point; ids are the special ones and then the training data's characters in sorted order.

    Args:
        unknown: "error" rejects a sample with a character that training data lacked; "keep" reads it as `<unk>`,
            which `restore` shows as �.
    """

    def __init__(
        self,
        dim: int,
        *,
        unknown: Literal["error", "keep"] = "error",
        **arguments: Any,
    ) -> None:
        super().__init__(dim, **arguments)
        if unknown not in ("error", "keep"):
            raise ConfigError(f"tokenizer.unknown={unknown} is not one of: error, keep.")
        self.specials = (*SPECIALS, UNKNOWN) if unknown == "keep" else SPECIALS
        self.characters = ""
        self.ids: dict[str, int] = {}

    def fit(self, samples: Sequence[Sample]) -> None:
        self.restore_state({"characters": "".join(sorted({c for sample in samples for c in text_of(sample)}))})

    def state(self) -> Mapping[str, Any]:
        return {"characters": self.characters}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        self.characters = state["characters"]
        self.ids = {c: i for i, c in enumerate(self.characters, start=len(self.specials))}
        names = ["␣" if c == " " else c if c.isprintable() else repr(c)[1:-1] for c in self.characters]
        self.define([*self.specials, *names], {role: i for role, i in ROLES.items() if i < len(self.specials)})

    def encode(self, sample: Sample) -> tuple[Tensor, Tensor]:
        text = text_of(sample)
        ids = [self.ids.get(c, self.unknown_id) for c in text]
        if None in ids:
            place = ids.index(None)
            raise BadSample(
                sample.name,
                f"character {text[place]!r} (U+{ord(text[place]):04X}) at position {place + 1} is not among the "
                f"{len(self.ids)} characters of the training data; set tokenizer.unknown=keep to read it as {UNKNOWN}",
            )
        return torch.tensor(ids, dtype=torch.int32), torch.arange(len(ids), dtype=torch.int32)

    def decode(self, ids: Sequence[int]) -> str:
        return "".join("\ufffd" if i == self.unknown_id else self.characters[i - len(self.specials)] for i in ids)
