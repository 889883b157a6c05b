"""Text as byte-pair pieces, by Hugging Face's `tokenizers`: trained on the training data, or read from a file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tokenizers  # Hugging Face's package: this folder has no __init__.py and so does not shadow it
import torch
from torch import Tensor

from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizer import Prepared
from mmattn.tokenizers.discrete import text_of
from mmattn.tokenizers.text_files import TextTokenizer

ROLES = {"bos": "<bos>", "eos": "<eos>", "mask": "<mask>"}


class BPETokenizer(TextTokenizer):
    """Byte-level BPE (Sennrich et al. 2016, https://arxiv.org/abs/1508.07909; on bytes as in GPT-2).

    Args:
        vocabulary_size: pieces to learn, special ones included; a small corpus may give fewer.
        file: a `tokenizer.json` to use instead (any that Hugging Face's package reads, WordPiece too).
        roles: names of the special tokens; one that the file lacks is added behind its vocabulary, null leaves it out.

    A special token's name inside a text is text: it never becomes the special id.
    """

    def __init__(
        self,
        dim: int,
        *,
        vocabulary_size: int = 4096,
        file: str | None = None,
        roles: Mapping[str, str | None] = ROLES,
        **arguments: Any,
    ) -> None:
        super().__init__(dim, **arguments)
        if unknown := set(roles) - set(ROLES):
            raise ConfigError(f"tokenizer.roles has '{sorted(unknown)[0]}', which is not one of: {', '.join(ROLES)}.")
        self.roles = {role: name for role, name in roles.items() if name is not None}
        least = 256 + len(self.roles)
        if file is None and vocabulary_size < least:
            raise ConfigError(
                f"tokenizer.vocabulary_size={vocabulary_size} is too small: byte-level BPE needs at least {least}."
            )
        self.vocabulary_size, self.file = vocabulary_size, file
        self.pieces: tokenizers.Tokenizer | None = None

    def fit(self, samples: Sequence[Sample]) -> None:
        if self.file is None:
            pieces = _trained((text_of(sample) for sample in samples), self.vocabulary_size - len(self.roles))
        else:
            pieces = _loaded(Path(self.file))
        self.restore_state({"tokenizer": pieces.to_str()})

    def state(self) -> Mapping[str, Any]:
        return {"tokenizer": self.pieces.to_str() if self.pieces is not None else None}

    def restore_state(self, state: Mapping[str, Any]) -> None:
        if state["tokenizer"] is None:
            return
        self.pieces = tokenizers.Tokenizer.from_str(state["tokenizer"])
        names = dict(self.pieces.get_vocab(with_added_tokens=True))
        size = max(names.values()) + 1  # published vocabularies may have holes
        for name in self.roles.values():
            size += names.setdefault(name, size) == size
        vocabulary = [f"<unused {i}>" for i in range(size)]
        for name, i in names.items():
            vocabulary[i] = name
        special = {i for i, added in self.pieces.get_added_tokens_decoder().items() if added.special}
        special |= {i for name, i in names.items() if name == getattr(self.pieces.model, "unk_token", None)}
        roles = {role: names[name] for role, name in self.roles.items()}
        self.define(vocabulary, roles, special | set(roles.values()))

    def encode(self, sample: Sample) -> tuple[Tensor, Tensor]:
        """A piece such as " word" shows its first character that is no white space, where it has one."""
        assert self.pieces is not None
        text = text_of(sample)
        self.pieces.encode_special_tokens = True  # here and not once, because pickling loses it
        try:
            encoded = self.pieces.encode(text, add_special_tokens=False)
        except (TypeError, UnicodeEncodeError) as error:
            raise BadSample(sample.name, "is not valid Unicode text (lone surrogate)") from error
        unknown = getattr(self.pieces.model, "unk_token", None)
        if unknown is not None and unknown in encoded.tokens:
            start, stop = encoded.offsets[encoded.tokens.index(unknown)]
            raise BadSample(
                sample.name, f"'{text[start:stop]}' at position {start + 1} is not in the vocabulary of the file"
            )
        units = [start + _blank(text[start:stop]) for start, stop in encoded.offsets]
        return torch.tensor(encoded.ids, dtype=torch.int32), torch.tensor(units, dtype=torch.int32)

    def decode(self, ids: Sequence[int]) -> str:
        assert self.pieces is not None
        return self.pieces.decode(list(ids), skip_special_tokens=False)

    def describe(self, prepared: Prepared, index: int) -> str:
        token = int(prepared["ids"][index])
        text = "" if token in self.special_ids else self.decode([token])
        whole = text and text.isprintable() and "\ufffd" not in text  # half a character has only its vocabulary name
        return text.replace(" ", "␣") if whole else self.names()[token]


def _blank(piece: str) -> int:
    """White space characters before the first other one; 0 where there is no other."""
    shown = piece.lstrip()
    return len(piece) - len(shown) if shown else 0


def _trained(texts: Any, size: int) -> tokenizers.Tokenizer:
    pieces = tokenizers.Tokenizer(tokenizers.models.BPE())
    pieces.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    pieces.train_from_iterator(texts, trainer)
    # Training ran in threads; data loader workers are forked after it, and would warn and could deadlock.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return pieces


def _loaded(path: Path) -> tokenizers.Tokenizer:
    if not path.is_file():
        raise ConfigError(f"tokenizer.file={path} is not there: give a tokenizer.json, or null to train one.")
    try:
        return tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the package raises plain Exception
        raise ConfigError(
            f"tokenizer.file={path} is not a tokenizer.json of Hugging Face's tokenizers ({error})."
        ) from error
