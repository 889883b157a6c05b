"""The contract accepts a stranger's smallest tokenizer, and names what is broken in planted bad ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mmattn.contracts.tokenizer import check_tokenizer, pick_samples
from mmattn.data.source import Sample
from mmattn.errors import ContractError
from mmattn.sequence import Layout, Side, TokenSequence
from mmattn.tokenizer import Batch, Prepared, Tokenizer, pad, token_info
from mmattn.tokenizers.text import ByteTokenizer

SERIES = [Sample(f"series {n}", torch.arange(float(n))) for n in (2, 5, 3)]
TEXTS = [Sample(text, text) for text in ("one", "three", "seventeen")]


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
        return TokenSequence(self.projection(batch["values"]), token_info(batch)).zero_padding()

    def read(self, path: Path) -> Sequence[Sample]:
        return []


def test_the_smallest_tokenizer_passes() -> None:
    tokenizer = Series().train()
    before = torch.get_rng_state()
    passed = check_tokenizer(tokenizer, SERIES)
    assert "tokens ignore padding and batch mates" in passed
    assert "restore inverts ids" not in passed
    assert tokenizer.training
    assert tokenizer.projection.weight.dtype == torch.float32
    assert torch.equal(torch.get_rng_state(), before)


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
    return TokenSequence(self.projection(batch["values"]), info).zero_padding()


def renumbered(self: Any, batch: Batch) -> TokenSequence:
    info = token_info(batch)
    info.order.add_(1)
    return TokenSequence(self.projection(batch["values"]), info).zero_padding()


def global_noise(self: Any, sample: Sample, generator: torch.Generator) -> Sample:
    return Sample(sample.name, sample.value + torch.rand(1))


def shifted_coordinates(self: Any, batch: Batch) -> TokenSequence:
    """Places that count the padding: a token's depends on its batch mates."""
    info = token_info(batch)
    place = torch.arange(info.order.shape[1]).expand_as(info.order)
    info = token_info(batch, coordinates=torch.where(info.real, place, 0)[..., None])
    return TokenSequence(self.projection(batch["values"]), info).zero_padding()


def half_places(self: Any, batch: Batch) -> TokenSequence:
    info = token_info(batch, coordinates=token_info(batch).order[..., None] / 2)
    return TokenSequence(self.projection(batch["values"]), info).zero_padding()


def one_document(self: Any, batch: Batch) -> TokenSequence:
    info = token_info(batch)
    info.document.clamp_(max=0)
    return TokenSequence(self.projection(batch["values"]), info).zero_padding()


def wrong_layout(self: Any, batch: Batch) -> TokenSequence:
    layout = Layout(True, False, batch["layout"].side)
    tokens = TokenSequence(self.projection(batch["values"]), token_info(batch)).zero_padding()
    return replace(tokens, info=replace(tokens.info, known_layout=layout))


def infinite(self: Any, batch: Batch) -> TokenSequence:
    return TokenSequence(self.projection(batch["values"]) / 0, token_info(batch)).zero_padding()


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


@pytest.mark.parametrize(
    ("method", "broken", "rule"),
    [
        ("prepare", doubled_in_place, "'prepare is pure': prepare changed 'series 2'; work on a copy"),
        ("prepare", noisy, "'prepare is pure': two calls gave two results .* put randomness into augment"),
        ("count", lambda self, prepared: len(prepared["values"]) + 1, "'count agrees with forward': .* count and dim"),
        ("embed", unpadded, "'padding is zero': .* end embed with .zero_padding"),
        ("embed", mean_of_the_batch, "'tokens ignore padding and batch mates': 'series 2' .* no batch statistics"),
        ("embed", flat_coordinates, "'facts are well formed': coordinates must be .* not "),
        ("embed", lambda self, batch: 1 / 0, "fails while 'count agrees with forward' is checked: ZeroDivisionError"),
        ("embed", renumbered, "'facts are well formed': order must run 0, 1, 2"),
        ("augment", global_noise, "'augment is seeded': one seed gave two variations .* draw from the generator"),
        ("state", lambda self: {"mean": torch.zeros(1)}, "'state round trips through json': state is not json-like"),
        ("describe", lambda self, prepared, index: "", "'every token is described'"),
        ("length", lambda self, prepared: len(prepared["values"]), "'prefix tokens come first': .* do not override"),
        ("check_length", lambda self, name, prepared: None, "'max length is enforced'"),
        ("cut", lambda self, prepared, start, stop: prepared, "'cutting keeps tokens': .* was cut in half and made"),
        ("content", lambda self, batch: torch.ones(1, 1, 1), "'content lines up': content must be"),
        ("embed", shifted_coordinates, "'tokens ignore padding and batch mates': 'series 2' has other coordinates"),
        ("embed", half_places, "'facts are well formed': order and coordinates must be whole numbers"),
        ("embed", one_document, "'facts are well formed': row 1 of a collated batch must be document 1"),
        ("embed", wrong_layout, "'facts are well formed': the layout says .* build facts by token_info"),
        ("embed", infinite, "'padding is zero': embeddings are not finite"),
        ("embed", with_ids, "'discrete tokens have ids': ids and vocabulary go together"),
        ("content", dirty_content, "'content lines up': content must be 0 at padding"),
        ("forward", prefix_counted, "'prefix tokens come first': forward must be prefix.embed.batch"),
        ("augment", in_place, "'augment is seeded': augment changed 'series 2' itself; return a new Sample"),
        ("augment", reseeding, "'augment is seeded': augment must leave torch's global generator"),
        ("restore_state", lambda self, state: 1 / 0, "fails while 'state round trips .* is checked: ZeroDivisionError"),
        ("units", lambda self, prepared: torch.tensor([0]), r"'units lie in the sample': .* are \(1,\), not \(2,\)"),
        ("units", lambda self, prepared: torch.full((self.count(prepared),), 99), "must be -1 or places in its value"),
    ],
)
def test_a_broken_tokenizer_is_named(method: str, broken: Callable[..., Any], rule: str) -> None:
    bad = type("Bad", (Series,), {method: broken})()
    samples = [Sample(sample.name, sample.value.clone()) for sample in SERIES]
    with pytest.raises(ContractError, match=rule):
        check_tokenizer(bad, samples)


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


@pytest.mark.parametrize(
    ("member", "broken", "rule"),
    [
        ("restore_state", reset_weights, "'state round trips through json': tokens differ after restore_state"),
        ("restore", shouted, "'restore inverts ids': restore.* is raw data that makes other ids"),
        ("units", from_zero, "'units lie in the sample': a piece's units are places in the whole sample"),
        ("embed", unknown_ids, "'discrete tokens have ids': ids must lie in the vocabulary of 259 tokens"),
        ("embed", ids_at_padding, "'discrete tokens have ids': ids must be -1 at padding and prefix tokens"),
    ],
)
def test_a_broken_discrete_tokenizer_is_named(member: str, broken: Callable[..., Any], rule: str) -> None:
    bad = type("Bad", (ByteTokenizer,), {member: broken})(8)
    with pytest.raises(ContractError, match=rule):
        check_tokenizer(bad, TEXTS)


def test_ids_need_a_vocabulary() -> None:
    tokenizer = ByteTokenizer(8)
    tokenizer.special_ids = frozenset()
    with pytest.raises(ContractError, match="special_ids must hold the ids of bos, eos and mask"):
        check_tokenizer(tokenizer, TEXTS)


def test_samples_are_picked_evenly() -> None:
    assert [sample.value for sample in pick_samples([Sample("x", i) for i in range(100)])] == [0, 25, 50, 75]
    with pytest.raises(ContractError, match="needs at least one sample"):
        check_tokenizer(Series(), [])
