"""What all tokenizers of discrete tokens share: ids in a table, a learned vector for each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.sequence import PADDING, Side, TokenSequence
from mmattn.tokenizer import Batch, Prepared, Tokenizer, pad, token_info


class DiscreteTokenizer(Tokenizer):
    """Ids (batch, length) and their embeddings; a modality writes `encode`, `decode` and `read`.

    Args:
        bos: begin every sample with the id `bos_id`.
        eos: end every sample with the id `eos_id`.
        deviation: of the embeddings at first. Small ones are soon shaped by training; in large ones, a word stays
            mostly what chance made it, which few examples cannot overfit.
        token_dropout: in training, the share of tokens whose embeddings become zeros (https://arxiv.org/abs/1512.05287).

    The other arguments are `Tokenizer`'s. `embedding.weight` (vocabulary, dim) exists once the vocabulary does.
    """

    written = True
    embedding: nn.Embedding
    unknown_id: int | None = None
    """The id of what the vocabulary lacks; None where nothing can be lacking, or where it is an error."""

    def __init__(
        self,
        dim: int,
        *,
        bos: bool = False,
        eos: bool = False,
        deviation: float = 0.02,
        token_dropout: float = 0.0,
        **arguments: Any,
    ) -> None:
        super().__init__(dim, **arguments)
        self.bos, self.eos, self.deviation = bos, eos, deviation
        self.token_dropout = nn.Dropout1d(token_dropout)

    @abstractmethod
    def encode(self, sample: Sample) -> tuple[Tensor, Tensor]:
        """Ids (length,) of a raw sample without begin and end, and which character each shows. Raises `BadSample`."""

    @abstractmethod
    def decode(self, ids: Sequence[int]) -> str:
        """The raw text of ids among which there is no special one but `unknown_id`, which becomes �."""

    def define(
        self, vocabulary: Sequence[str], roles: Mapping[str, int], special_ids: Collection[int] | None = None
    ) -> None:
        """Set the vocabulary; `roles` gives ids of bos, eos, mask and unknown, the `special_ids` by default."""
        known = self.vocabulary is not None and list(self.vocabulary) == list(vocabulary)
        self.vocabulary = tuple(vocabulary)
        self.bos_id, self.eos_id, self.mask_id = (roles.get(role) for role in ("bos", "eos", "mask"))
        self.unknown_id = roles.get("unknown")
        self.special_ids = frozenset(roles.values() if special_ids is None else special_ids)
        for role in ("bos", "eos"):
            if getattr(self, role) and roles.get(role) is None:
                raise ConfigError(f"tokenizer.{role}=true needs a token for it, and the vocabulary has none.")
        if not known:  # restoring the same vocabulary keeps what was learned
            self.embedding = nn.Embedding(len(vocabulary), self.dim)
            nn.init.normal_(self.embedding.weight, std=self.deviation)

    def names(self) -> Sequence[str]:
        """The vocabulary. Raises `ConfigError` where there is none yet."""
        if self.vocabulary is None:
            raise ConfigError(
                f"{type(self).__name__} has no vocabulary yet: call fit on training samples or restore_state."
            )
        return self.vocabulary

    def prepare(self, sample: Sample) -> Prepared:
        self.names()
        ids, units = self.encode(sample)
        if len(ids) == 0:
            raise BadSample(sample.name, "is empty: a sample needs at least one token")
        begin, end = [self.bos_id] if self.bos else [], [self.eos_id] if self.eos else []
        if begin or end:
            ids = torch.cat([ids.new_tensor(begin), ids, ids.new_tensor(end)])
            units = nn.functional.pad(units, (len(begin), len(end)), value=PADDING)
        return {"ids": ids, "units": units}

    def units(self, prepared: Prepared) -> Tensor:
        return prepared["units"]

    def count(self, prepared: Prepared) -> int:
        return len(prepared["ids"])

    def cut(self, prepared: Prepared, start: int, stop: int) -> Prepared:
        return {name: values[start:stop] for name, values in prepared.items()}

    def stack(self, prepared: Sequence[Prepared], side: Side) -> Batch:
        return {"ids": pad([each["ids"] for each in prepared], side, PADDING).long()}

    def embed(self, batch: Batch) -> TokenSequence:
        self.names()
        ids = batch["ids"]
        embeddings = self.token_dropout(self.embedding(ids.clamp(min=0)))
        return TokenSequence(embeddings, token_info(batch), ids).zero_padding()

    def restore(self, ids_or_tokens: Tensor) -> str:
        """Ids (length,) back to raw text; padding and special ids, but the unknown one, are left out."""
        left_out = (self.special_ids | {PADDING}) - {self.unknown_id}
        return self.decode([i for i in ids_or_tokens.tolist() if i not in left_out])

    def unknown_count(self, prepared: Prepared) -> int:
        """Tokens of a prepared sample that were read as unknown."""
        return int((prepared["ids"] == self.unknown_id).sum()) if self.unknown_id is not None else 0

    def show(self, prepared: Prepared) -> str:
        return self.restore(prepared["ids"])

    def describe(self, prepared: Prepared, index: int) -> str:
        return self.names()[int(prepared["ids"][index])]


def text_of(sample: Sample) -> str:
    """The text of a sample. Raises `BadSample` for anything else."""
    if not isinstance(sample.value, str):
        raise BadSample(sample.name, f"is a {type(sample.value).__name__}, and this tokenizer reads text (str)")
    return sample.value
