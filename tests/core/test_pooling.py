"""Poolings: one vector a document, whatever shares its row or its batch."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings

from mmattn import ConfigError, TokenInfo, TokenSequence
from mmattn.heads import AttentionPool, FirstPool, LastPool, MaxPool, MeanPool
from tests.core.examples import LAYOUTS, facts
from tests.core.token_lists import by_document, sequences

POOLS = [MeanPool, FirstPool, LastPool, MaxPool, AttentionPool]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("pool", POOLS)
def test_each_document_is_read_alone(pool, layout):
    torch.manual_seed(0)
    made, info = pool(8).double(), facts(LAYOUTS[layout])
    tokens = TokenSequence(torch.randn(2, 6, 8, dtype=torch.float64), info)
    out = made(tokens, 5)
    for number in range(5):
        own = tokens.embeddings[info.document == number][None]
        alone = made(TokenSequence(own, TokenInfo.from_lengths([own.shape[1]])), 1)
        torch.testing.assert_close(out[number], alone[0], atol=1e-12, rtol=0)
        if own.shape[1] == 0:
            assert (out[number] == 0).all()


@settings(max_examples=40, deadline=None)
@given(sequences(2))
def test_they_are_what_lists_say(both):
    lists, tokens = both
    values = {}
    for row in lists:
        for document, own in by_document(row).items():
            values[document] = [token.value for token in own], [token.value for token in own if token.order == 0]
    for number in range(6):
        own, first = values.get(number, ([], []))
        expected = [sum(own) / max(len(own), 1), sum(first), own[-1] if own else 0, max(own, default=0)]
        found = [pool(1)(tokens, 6)[number].item() for pool in (MeanPool, FirstPool, LastPool, MaxPool)]
        assert found == pytest.approx(expected)


def test_what_they_take():
    x = torch.tensor([[[1.0], [2.0], [6.0], [8.0]]])
    tokens = TokenSequence(x, facts([[0, 0, 0, 1]]))
    assert MeanPool(1)(tokens, 2).flatten().tolist() == [3, 8]
    assert FirstPool(1)(tokens, 2).flatten().tolist() == [1, 8]
    assert LastPool(1)(tokens, 2).flatten().tolist() == [6, 8]
    assert MaxPool(1)(tokens.with_embeddings(-x), 2).flatten().tolist() == [-1, -8]
    pool = AttentionPool(1, heads=1)
    torch.nn.init.constant_(pool.score.weight, 0.5)
    weights = (x[0, :3, 0] / 2).softmax(0)
    torch.testing.assert_close(pool(tokens, 2)[0], (weights * x[0, :3, 0]).sum()[None])


@pytest.mark.parametrize("gap", [100.0, 1000.0])
def test_attention_pool_is_right_beside_a_mate_of_much_higher_score(gap):
    torch.manual_seed(0)
    pool = AttentionPool(4, heads=2)
    low, high = torch.randn(1, 3, 4, requires_grad=True), torch.randn(1, 3, 4)
    with torch.no_grad():
        pool.score.weight.copy_(torch.eye(2, 4))
        high[..., :2] += gap
    alone = pool(TokenSequence(low, TokenInfo.from_lengths([3])), 1)
    beside = pool(TokenSequence(torch.cat([low, high]), TokenInfo.from_lengths([3, 3])), 2)[:1]
    torch.testing.assert_close(beside, alone, atol=1e-6, rtol=0)
    gradients = [torch.autograd.grad(out.square().sum(), low)[0] for out in (alone, beside)]
    torch.testing.assert_close(*gradients, atol=1e-6, rtol=0)


def test_attention_pool_sums_in_float32_under_autocast():
    tokens = TokenSequence(torch.ones(1, 701, 8), TokenInfo.from_lengths([701]))
    with torch.autocast("cpu", torch.bfloat16):
        out = AttentionPool(8)(tokens, 1)  # 701 is no bfloat16
    assert out.tolist() == [[1.0] * 8]


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)], ids=str)
@pytest.mark.parametrize("pool", POOLS)
def test_an_empty_batch_gives_zeros_and_trains(pool, shape):
    info = TokenInfo.from_lengths([shape[1]] * shape[0], length=shape[1])
    tokens = TokenSequence(torch.randn(*shape, 8, requires_grad=True), info)
    out = pool(8)(tokens, 2)
    assert out.tolist() == [[0.0] * 8] * 2
    out.sum().backward()


@pytest.mark.parametrize("heads", [3, 0, 16])
def test_heads_that_do_not_divide_the_width_are_an_error(heads):
    with pytest.raises(ConfigError, match=f"pool.heads={heads} does not divide dim=8; choose a divisor"):
        AttentionPool(8, heads)
