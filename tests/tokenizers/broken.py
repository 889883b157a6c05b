"""The smallest tokenizer that keeps the contract, and methods each of which breaks a rule of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mmattn.data.source import Sample
from mmattn.sequence import Layout, Side, TokenInfo, TokenSequence
from mmattn.tokenizer import Batch, Prepared, Tokenizer, pad, token_info
from mmattn.tokenizers.text import ByteTokenizer


class Series(Tokenizer):
    """A stranger's: numbers in a row, with the abstract methods alone."""

    def __init__(self) -> None:
        super().__init__(8)
        self.projection = nn.Linear(1, 8)

    def prepare(self, sample: Sample) -> Prepared:
        return {"values": sample.value[:, None].clone()}

    def count(self, prepared: Prepared) -> int:
        return len(prepared["values"])

    def stack(self, prepared: Sequence[Prepared], side: Side) -> Batch:
        return {"values": pad([each["values"] for each in prepared], side)}

    def embed(self, batch: Batch) -> TokenSequence:
        return self.made(batch, token_info(batch))

    def made(self, batch: Batch, info: TokenInfo) -> TokenSequence:
        return TokenSequence(self.projection(batch["values"]), info).zero_padding()

    def read(self, path: Path) -> Sequence[Sample]:
        return []


def doubled_in_place(self: Any, sample: Sample) -> Prepared:
    return {"values": sample.value.mul_(2)[:, None].clone()}


def noisy(self: Any, sample: Sample) -> Prepared:
    return {"values": sample.value[:, None] + torch.rand(1)}


def unpadded(self: Any, batch: Batch) -> TokenSequence:
    return TokenSequence(self.projection(batch["values"]), token_info(batch))


def mean_of_the_batch(self: Any, batch: Batch) -> TokenSequence:
    x = self.projection(batch["values"] - batch["values"].mean())
    return TokenSequence(x, token_info(batch)).zero_padding()


def flat_coordinates(self: Any, batch: Batch) -> TokenSequence:
    info = token_info(batch, coordinates=token_info(batch).order)
    return self.made(batch, info)


def renumbered(self: Any, batch: Batch) -> TokenSequence:
    info = token_info(batch)
    info.order.add_(1)
    return self.made(batch, info)


def global_noise(self: Any, sample: Sample, generator: torch.Generator) -> Sample:
    return Sample(sample.name, sample.value + torch.rand(1))


def shifted_coordinates(self: Any, batch: Batch) -> TokenSequence:
    """Places that count the padding: a token's depends on its batch mates."""
    info = token_info(batch)
    place = torch.arange(info.order.shape[1]).expand_as(info.order)
    info = token_info(batch, coordinates=torch.where(info.real, place, 0)[..., None])
    return self.made(batch, info)


def half_places(self: Any, batch: Batch) -> TokenSequence:
    info = token_info(batch, coordinates=token_info(batch).order[..., None] / 2)
    return self.made(batch, info)


def one_document(self: Any, batch: Batch) -> TokenSequence:
    info = token_info(batch)
    info.document.clamp_(max=0)
    return self.made(batch, info)


def wrong_layout(self: Any, batch: Batch) -> TokenSequence:
    layout = Layout(True, False, batch["layout"].side)
    tokens = Series.embed(self, batch)
    return replace(tokens, info=replace(tokens.info, known_layout=layout))


def infinite(self: Any, batch: Batch) -> TokenSequence:
    tokens = Series.embed(self, batch)
    return tokens.with_embeddings(tokens.embeddings / 0).zero_padding()


def with_ids(self: Any, batch: Batch) -> TokenSequence:
    info = token_info(batch)
    return TokenSequence(self.projection(batch["values"]), info, info.order).zero_padding()


def dirty_content(self: Any, batch: Batch) -> Tensor:
    return batch["values"] + 1


def prefix_counted(self: Any, batch: Batch) -> TokenSequence:
    tokens = self.prefix(self.embed(batch))
    return tokens.with_embeddings(tokens.embeddings * (1 + self.prefix.count))


def in_place(self: Any, sample: Sample, generator: torch.Generator) -> Sample:
    sample.value.zero_()
    return sample


def reseeding(self: Any, sample: Sample, generator: torch.Generator) -> Sample:
    torch.rand(1)
    return sample


def reset_weights(self: Any, state: Any) -> None:
    nn.init.normal_(self.embedding.weight)


def shouted(self: Any, ids: Tensor) -> str:
    return ByteTokenizer.restore(self, ids).upper()


def from_zero(self: Any, prepared: Prepared) -> Tensor:
    return torch.arange(len(prepared["ids"]))


def unknown_ids(self: Any, batch: Batch) -> TokenSequence:
    tokens = ByteTokenizer.embed(self, batch)
    return replace(tokens, ids=torch.where(tokens.ids >= 0, 259, -1))


def ids_at_padding(self: Any, batch: Batch) -> TokenSequence:
    tokens = ByteTokenizer.embed(self, batch)
    return replace(tokens, ids=tokens.ids.clamp(min=0))
