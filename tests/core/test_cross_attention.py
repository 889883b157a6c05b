"""Layers that read another sequence, follow a condition, or mix tokens on their grid."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch

from mmattn import (
    AdaptiveBlock,
    Attention,
    Backbone,
    Causal,
    ConfigError,
    CrossAttention,
    KeyValueEncoder,
    Latents,
    Memory,
    Rotary,
    TokenInfo,
    TokenSequence,
    join,
)
from mmattn.context import Context
from mmattn.mixers import Gated, GridConvolution, KeyValueAttention
from mmattn.positions import Position
from tests.core.examples import facts

QUERIES = facts([[0, 0, 0, 1, 1, -1], [2, 2, 2, 2, 2, 2]])
KEYS = facts([[0, 0, 1, 1, 1, 1, -1, -1], [2, 2, 2, -1, -1, -1, -1, -1]])


def tokens(info: TokenInfo, dim: int = 16, seed: int = 0) -> TokenSequence:
    generator = torch.Generator().manual_seed(seed)
    return TokenSequence(torch.randn(*info.order.shape, dim, generator=generator, dtype=torch.float64), info)


def reader(block=None, **arguments) -> Backbone:
    torch.manual_seed(1)
    mixers = {
        "own": partial(Attention, heads=2, pattern=Causal()),
        "other": partial(CrossAttention, heads=2, **arguments),
    }
    parts = {} if block is None else {"block": block}
    return Backbone(16, 4, mixers, ["own", "other"], without_mlp=["own"], position=Rotary(), **parts).double().eval()


def test_a_head_reads_the_memory_by_the_formula():
    layer = CrossAttention(16, 2, key_heads=1, qk_norm=True, memory_dim=12).double()
    x, memory = tokens(QUERIES), tokens(KEYS, 12)
    out = layer(x.embeddings, Context(QUERIES, Position(), Memory(memory)))
    for row, place in ((0, 1), (0, 4), (1, 3)):
        document = QUERIES.document[row, place]
        seen = memory.embeddings[row][KEYS.document[row] == document]
        query = layer.query_norm(layer.query(x.embeddings[row, place]).view(2, 8))
        key, value = layer.key_norm(layer.key(seen)), layer.value(seen)
        weights = (query @ key.T * 8**-0.5).softmax(-1)
        torch.testing.assert_close(out[row, place], layer.out((weights @ value).flatten()), atol=1e-12, rtol=0)


def test_what_stands_at_the_memorys_padding_is_never_seen():
    model, memory = reader(), tokens(KEYS)
    spoiled = memory.with_embeddings(memory.embeddings.masked_fill(~KEYS.real[..., None], float("nan")))
    one, other = (model(tokens(QUERIES), each).embeddings for each in (memory, spoiled))
    assert torch.equal(one, other) and bool(one.isfinite().all())


@pytest.mark.parametrize("length", [0, 3])
def test_an_empty_context_is_no_condition(length):
    layer = CrossAttention(16, 2, bias=False).double()
    nothing = TokenInfo.from_lengths([0, 0], length=length)
    out = layer(tokens(QUERIES).embeddings, Context(QUERIES, Position(), Memory(tokens(nothing))))
    assert torch.equal(out, torch.zeros_like(out))


def test_keys_and_values_of_a_memory_are_computed_once_and_again_for_a_new_one():
    model, calls = reader(), []
    for block in model.blocks:
        if isinstance(block.mixer, CrossAttention):
            block.mixer.key.register_forward_hook(lambda *_: calls.append(1))
    memory = Memory(tokens(KEYS))
    first = model(tokens(QUERIES), memory).embeddings
    assert torch.equal(first, model(tokens(QUERIES), memory).embeddings) and len(calls) == 2
    model(tokens(QUERIES), tokens(KEYS, seed=1))
    assert len(calls) == 4


def test_steps_with_a_memory_equal_the_full_pass():
    model, memory = reader(), Memory(tokens(TokenInfo.from_lengths([3, 5])))
    x = tokens(TokenInfo.from_lengths([6, 4]))
    full, state, outs = model(x, memory).embeddings, None, []
    for place in range(6):
        index = torch.full((2, 1), place)
        out, state = model.step(TokenSequence(x.embeddings[:, place : place + 1], x.info.pick(index)), state, memory)
        outs.append(out.embeddings)
    torch.testing.assert_close(torch.cat(outs, 1), full, atol=1e-12, rtol=0)


def test_a_model_without_what_its_layers_read_says_so():
    with pytest.raises(ConfigError, match="reads another sequence"):
        reader()(tokens(QUERIES))
    with pytest.raises(ConfigError, match="follows a condition"):
        reader(AdaptiveBlock)(tokens(QUERIES), tokens(KEYS))
    with pytest.raises(ConfigError, match="backbone.without_mlp names 'own'"):
        Backbone(16, 1, {"near": partial(Attention, heads=2)}, without_mlp=["own"])


def test_a_gate_begins_as_nothing_and_can_open():
    layer = Gated(16, partial(CrossAttention, heads=2)).double()
    context = Context(QUERIES, Position(), Memory(tokens(KEYS)))
    x = tokens(QUERIES).embeddings
    assert torch.equal(layer(x, context), torch.zeros_like(x))
    layer(x, context).sum().backward()
    assert layer.gate.grad is not None and layer.gate.grad != 0
    with torch.no_grad():
        layer.gate.fill_(0.5)
    torch.testing.assert_close(layer(x, context), torch.tensor(0.5).tanh() * layer.mixer(x, context))
    torch.testing.assert_close(layer.step(x, context, None)[0], layer(x, context))


def adaptive() -> Backbone:
    model = reader(AdaptiveBlock)
    for block in model.blocks:
        torch.nn.init.normal_(block.modulation.weight, std=0.3)
    return model


def test_an_adaptive_block_begins_as_nothing_and_follows_its_own_documents_condition():
    condition = torch.randn(3, 16, dtype=torch.float64)
    x, memory = tokens(QUERIES), tokens(KEYS)
    torch.testing.assert_close(
        reader(AdaptiveBlock)(x, memory, condition).embeddings,
        reader(AdaptiveBlock).norm(x.embeddings) * QUERIES.real[..., None],
    )
    model, other = adaptive(), condition.clone()
    other[1] += 1  # the second document of the first row
    one, two = model(x, memory, condition).embeddings, model(x, memory, other).embeddings
    changed = (one != two).any(-1)
    assert torch.equal(changed, QUERIES.document == 1)


def test_steps_with_a_condition_equal_the_full_pass():
    model, memory, condition = adaptive(), Memory(tokens(TokenInfo.from_lengths([3]))), torch.randn(1, 16).double()
    x = tokens(TokenInfo.from_lengths([4]))
    full = model(x, memory, condition).embeddings
    first, state = model.step(
        TokenSequence(x.embeddings[:, :3], x.info.pick(torch.arange(3)[None])), None, memory, condition
    )
    last, _ = model.step(TokenSequence(x.embeddings[:, 3:], x.info.pick(torch.tensor([[3]]))), state, memory, condition)
    torch.testing.assert_close(torch.cat([first.embeddings, last.embeddings], 1), full, atol=1e-12, rtol=0)


def grid(rows: int, columns: int) -> torch.Tensor:
    return torch.cartesian_prod(torch.arange(rows), torch.arange(columns))


def test_a_grid_convolution_is_a_depthwise_convolution_of_each_picture():
    layer = GridConvolution(4, 3).double()
    small, large = grid(2, 3), grid(4, 3)
    coordinates = torch.stack(
        [torch.cat([torch.tensor([[-1, -1]]), small, -torch.ones(6, 2).long()]), torch.cat([large, large[:1] * 0])]
    )
    info = replace(TokenInfo.from_lengths([7, 12], length=13), coordinates=coordinates)
    x = tokens(info, 4).embeddings
    out = layer(x, Context(info, Position()))
    for row, start, (rows, columns) in ((0, 1, (2, 3)), (1, 0, (4, 3))):
        picture = x[row, start : start + rows * columns].T.view(1, 4, rows, columns)
        expected = layer.convolution(picture).flatten(2)[0].T
        torch.testing.assert_close(out[row, start : start + rows * columns], expected, atol=1e-12, rtol=0)
    assert torch.equal(out[0, 0], torch.zeros(4).double()) and torch.equal(out[0, 7:], torch.zeros(6, 4).double())


def test_joined_kinds_of_data_do_not_stand_on_one_grid():
    """A text's places, the index and 0, are those of a picture's first column."""
    layer = GridConvolution(4, 3).double()
    picture = tokens(TokenInfo.from_lengths([6, 6], coordinates=grid(2, 3).expand(2, -1, -1)), 4)
    text = tokens(TokenInfo.from_lengths([2, 1], modality=1), 4, seed=1)
    joined = join([picture, text])
    out = layer(joined.embeddings, Context(joined.info, Position()))
    alone = layer(picture.embeddings, Context(picture.info, Position()))
    torch.testing.assert_close(out[:, :6], alone, atol=1e-12, rtol=0)
    column = layer.convolution(text.embeddings[0].T.reshape(1, 4, 2, 1))[0, :, :, 0].T
    torch.testing.assert_close(out[0, 6:], column, atol=1e-12, rtol=0)


def test_a_grid_convolution_needs_a_grid_and_has_no_next_step():
    layer, context = GridConvolution(4), Context(TokenInfo.from_lengths([3]), Position())
    with pytest.raises(ConfigError, match="two coordinate axes from first_axis=0 on, and these tokens have 1"):
        layer(torch.randn(1, 3, 4), context)
    with pytest.raises(ConfigError, match="no next step"):
        layer.step(torch.randn(1, 1, 4), context, None)
    with pytest.raises(ConfigError, match="odd"):
        GridConvolution(4, 2)


def test_latents_read_any_length_and_give_as_many_tokens():
    torch.manual_seed(0)
    layers = {"read": partial(CrossAttention, heads=2), "own": partial(Attention, heads=2)}
    model = Latents(Backbone(16, 2, layers), 3).double()
    info = TokenInfo.from_lengths([5, 0, 2])
    out = model(tokens(info))
    assert out.embeddings.shape == (3, 3, 16)
    alone = model(TokenSequence(tokens(info).embeddings[2:, :2], TokenInfo.from_lengths([2])))
    torch.testing.assert_close(out.embeddings[2:], alone.embeddings, atol=1e-12, rtol=0)
    with pytest.raises(ValueError, match="one document a row"):
        model(tokens(KEYS))
    with pytest.raises(ConfigError, match="at least 1"):
        Latents(model.backbone, 0)


def test_keys_and_values_are_made_of_the_halves_of_a_memory():
    layer, plain = KeyValueAttention(16, 2, memory_dim=24, qk_norm=True).double(), CrossAttention(16, 2).double()
    x, memory = tokens(QUERIES), tokens(KEYS, 24)
    first, second = memory.embeddings.chunk(2, -1)
    out = layer(x.embeddings, Context(QUERIES, Position(), Memory(memory)))
    key = layer.key_norm(layer.key(first).unflatten(-1, (2, 8)).transpose(1, 2))
    value = layer.value(second).unflatten(-1, (2, 8)).transpose(1, 2)
    visibility = Context(QUERIES, Position(), Memory(memory)).memory_visibility(layer.pattern)
    torch.testing.assert_close(out, layer.mix(layer.queries(x.embeddings), key, value, visibility), atol=0, rtol=0)
    assert plain.keys(tokens(KEYS).embeddings).shape == key.shape
    with pytest.raises(ConfigError, match="memory_dim=15 has no two halves"):
        KeyValueAttention(16, 2, memory_dim=15)


def test_an_encoder_gives_tokens_in_their_context_beside_themselves():
    mixers = {"own": partial(Attention, heads=2)}
    torch.manual_seed(0)
    encoder = KeyValueEncoder(16, 1, mixers, position=Rotary()).double().eval()
    plain = Backbone(16, 1, mixers, position=Rotary()).double().eval()
    plain.load_state_dict(encoder.state_dict())
    given = tokens(KEYS)
    out = encoder(given).embeddings
    assert encoder.out_dim == 32 and plain.out_dim == 16
    assert torch.equal(out[..., :16], plain(given).embeddings)
    assert torch.equal(out[..., 16:], given.zero_padding().embeddings)
