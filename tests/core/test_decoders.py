"""Recurrent decoders that look at a memory are their papers' equations, document by document."""

from __future__ import annotations

import pytest
import torch

from mmattn import ConfigError, Memory, Position, TokenInfo, TokenSequence
from mmattn.context import Context
from mmattn.mixers import AdditiveAttention, MultiplicativeAttention
from tests.core.examples import facts
from tests.core.mixing import check_documents_alone

QUERIES = facts([[0, 0, 0, 1, 1, -1], [2, 2, 2, 2, 2, 2]])
KEYS = facts([[0, 0, 1, 1, 1, 1, -1, -1], [2, 2, 2, -1, -1, -1, -1, -1]])


def memory(info=KEYS, width=5):
    generator = torch.Generator().manual_seed(3)
    return TokenSequence(torch.randn(*info.order.shape, width, generator=generator, dtype=torch.float64), info)


def additive(layer, x, read):
    """One document (length, dim) over what it reads (tokens, width)."""
    state, outs, looks = x.new_zeros(layer.cell.hidden_size), [], []
    for token in x:
        scores = [layer.score(torch.tanh(layer.query(state) + layer.key(each))) for each in read]
        weight = torch.cat(scores).softmax(0)
        seen = weight @ read
        state = layer.cell(torch.cat([token, seen])[None], state[None])[0]
        outs.append(layer.out(torch.cat([state, seen])))
        looks.append(weight)
    return torch.stack(outs), torch.stack(looks)


def multiplicative(layer, x, read):
    weight = (layer.query(x) @ read.T).softmax(-1)
    return torch.tanh(layer.out(torch.cat([weight @ read, x], -1))), weight


LAYERS = {AdditiveAttention: additive, MultiplicativeAttention: multiplicative}


@pytest.mark.parametrize("kind", LAYERS)
def test_each_document_reads_its_own_memory_by_the_formula(kind):
    torch.manual_seed(0)
    layer, tokens = kind(8, memory_dim=5).double(), memory()

    def beside(x, context):
        return layer(x, Context(context.info, Position(), Memory(tokens)))

    beside.parameters = layer.parameters

    def alone(own):
        place = next(p for p, n in ((0, 3), (1, 2), (2, 6)) if n == len(own))
        return LAYERS[kind](layer, own, tokens.embeddings[tokens.info.document == place])[0]

    x = torch.randn(2, 6, 8, dtype=torch.float64)
    check_documents_alone(beside, alone, x, QUERIES)


def test_it_says_where_it_looked():
    torch.manual_seed(0)
    layer, tokens = AdditiveAttention(8, memory_dim=5).double(), memory()
    x = torch.randn(2, 6, 8, dtype=torch.float64)
    looks = layer.alignment(x, Context(QUERIES, Position(), Memory(tokens)))
    expected = additive(layer, x[0, 3:5], tokens.embeddings[0, 2:6])[1]
    torch.testing.assert_close(looks[0, 3:5, 2:6], expected, atol=1e-12, rtol=0)
    assert looks[0, 3:5, :2].abs().max() == 0 and looks[0, 5].abs().max() == 0


@pytest.mark.parametrize("kind", LAYERS)
def test_without_a_memory_nothing_is_read(kind):
    layer = kind(8).double()
    x, empty = torch.randn(1, 3, 8, dtype=torch.float64), TokenInfo.from_lengths([0], length=2)
    read = TokenSequence(torch.full((1, 2, 8), torch.nan, dtype=torch.float64), empty)
    out = layer(x, Context(TokenInfo.from_lengths([3]), Position(), Memory(read)))
    assert out.isfinite().all()
    with pytest.raises(ConfigError, match="A cross-attention layer reads another sequence"):
        layer(x, Context(TokenInfo.from_lengths([3]), Position()))


def test_widths_are_positive():
    with pytest.raises(ConfigError, match="hidden=0 must be a whole number, at least 1"):
        AdditiveAttention(8, hidden=0)
