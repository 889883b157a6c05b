"""The contract accepts a stranger's smallest tokenizer, and names what is broken in planted bad ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from mmattn.contracts.tokenizer import check_tokenizer, pick_samples
from mmattn.data.source import Sample
from mmattn.errors import ContractError
from mmattn.tokenizers.text import ByteTokenizer
from tests.tokenizers import broken as bad
from tests.tokenizers.broken import Series

SERIES = [Sample(f"series {n}", torch.arange(float(n))) for n in (2, 5, 3)]
TEXTS = [Sample(text, text) for text in ("one", "three", "seventeen")]


def test_the_smallest_tokenizer_passes() -> None:
    tokenizer = Series().train()
    before = torch.get_rng_state()
    passed = check_tokenizer(tokenizer, SERIES)
    assert "tokens ignore padding and batch mates" in passed
    assert "restore inverts ids" not in passed
    assert tokenizer.training
    assert tokenizer.projection.weight.dtype == torch.float32
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("method", "broken", "rule"),
    [
        ("prepare", bad.doubled_in_place, "'prepare is pure': prepare changed 'series 2'; work on a copy"),
        ("prepare", bad.noisy, "'prepare is pure': two calls gave two results .* put randomness into augment"),
        ("count", lambda self, prepared: len(prepared["values"]) + 1, "'count agrees with forward': .* count and dim"),
        ("embed", bad.unpadded, "'padding is zero': .* end embed with .zero_padding"),
        ("embed", bad.mean_of_the_batch, "'tokens ignore padding and batch mates': 'series 2' .* no batch statistics"),
        ("embed", bad.flat_coordinates, "'facts are well formed': coordinates must be .* not "),
        ("embed", lambda self, batch: 1 / 0, "fails while 'count agrees with forward' is checked: ZeroDivisionError"),
        ("embed", bad.renumbered, "'facts are well formed': order must run 0, 1, 2"),
        ("augment", bad.global_noise, "'augment is seeded': one seed gave two variations .* draw from the generator"),
        ("state", lambda self: {"mean": torch.zeros(1)}, "'state round trips through json': state is not json-like"),
        ("describe", lambda self, prepared, index: "", "'every token is described'"),
        ("length", lambda self, prepared: len(prepared["values"]), "'prefix tokens come first': .* do not override"),
        ("check_length", lambda self, name, prepared: None, "'max length is enforced'"),
        ("cut", lambda self, prepared, start, stop: prepared, "'cutting keeps tokens': .* was cut in half and made"),
        ("content", lambda self, batch: torch.ones(1, 1, 1), "'content lines up': content must be"),
        ("embed", bad.shifted_coordinates, "'tokens ignore padding and batch mates': 'series 2' has other coordinates"),
        ("embed", bad.half_places, "'facts are well formed': order and coordinates must be whole numbers"),
        ("embed", bad.one_document, "'facts are well formed': row 1 of a collated batch must be document 1"),
        ("embed", bad.wrong_layout, "'facts are well formed': the layout says .* build facts by token_info"),
        ("embed", bad.infinite, "'padding is zero': embeddings are not finite"),
        ("embed", bad.with_ids, "'discrete tokens have ids': ids and vocabulary go together"),
        ("content", bad.dirty_content, "'content lines up': content must be 0 at padding"),
        ("forward", bad.prefix_counted, "'prefix tokens come first': forward must be prefix.embed.batch"),
        ("augment", bad.in_place, "'augment is seeded': augment changed 'series 2' itself; return a new Sample"),
        ("augment", bad.reseeding, "'augment is seeded': augment must leave torch's global generator"),
        ("restore_state", lambda self, state: 1 / 0, "fails while 'state round trips .* is checked: ZeroDivisionError"),
        ("units", lambda self, prepared: torch.tensor([0]), r"'units lie in the sample': .* are \(1,\), not \(2,\)"),
        ("units", lambda self, prepared: torch.full((self.count(prepared),), 99), "must be -1 or places in its value"),
    ],
)
def test_a_broken_tokenizer_is_named(method: str, broken: Callable[..., Any], rule: str) -> None:
    made = type("Bad", (Series,), {method: broken})()
    samples = [Sample(sample.name, sample.value.clone()) for sample in SERIES]
    with pytest.raises(ContractError, match=rule):
        check_tokenizer(made, samples)


@pytest.mark.parametrize(
    ("member", "broken", "rule"),
    [
        ("restore_state", bad.reset_weights, "'state round trips through json': tokens differ after restore_state"),
        ("restore", bad.shouted, "'restore inverts ids': restore.* is raw data that makes other ids"),
        ("units", bad.from_zero, "'units lie in the sample': a piece's units are places in the whole sample"),
        ("embed", bad.unknown_ids, "'discrete tokens have ids': ids must lie in the vocabulary of 259 tokens"),
        ("embed", bad.ids_at_padding, "'discrete tokens have ids': ids must be -1 at padding and prefix tokens"),
    ],
)
def test_a_broken_discrete_tokenizer_is_named(member: str, broken: Callable[..., Any], rule: str) -> None:
    made = type("Bad", (ByteTokenizer,), {member: broken})(8)
    with pytest.raises(ContractError, match=rule):
        check_tokenizer(made, TEXTS)


def test_ids_need_a_vocabulary() -> None:
    tokenizer = ByteTokenizer(8)
    tokenizer.special_ids = frozenset()
    with pytest.raises(ContractError, match="special_ids must hold the ids of bos, eos and mask"):
        check_tokenizer(tokenizer, TEXTS)


def test_samples_are_picked_evenly() -> None:
    assert [sample.value for sample in pick_samples([Sample("x", i) for i in range(100)])] == [0, 25, 50, 75]
    with pytest.raises(ContractError, match="needs at least one sample"):
        check_tokenizer(Series(), [])
