"""Every kernel against the formula, pair by pair; invariances of the whole backbone."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch

from mmattn import (
    Attention,
    Backbone,
    Causal,
    ConfigError,
    Full,
    GlobalTokens,
    Learned,
    Position,
    PrefixLM,
    Rotary,
    Sinusoidal,
    SlidingWindow,
    TokenInfo,
    TokenSequence,
    Visibility,
    attend,
    join,
)  # fmt: skip
from mmattn.heads import AttentionPool, FirstPool, LastPool, MeanPool
from mmattn.kernels import KERNELS
from mmattn.prefix import PrefixTokens

# name: (pattern, the same condition on places i of the query and j of the key, with facts g (global) and p (prefix))
PATTERNS = {
    "full": (Full(), lambda i, j, g, p: True),
    "causal": (Causal(), lambda i, j, g, p: j <= i),
    "window": (SlidingWindow(2), lambda i, j, g, p: 0 <= i - j <= 2),
    "window or global": (SlidingWindow(1, 1) | GlobalTokens(), lambda i, j, g, p: abs(i - j) <= 1 or g[i] or g[j]),
    "prefix": (PrefixLM(), lambda i, j, g, p: j <= i or p[j]),
    "far and causal": (~SlidingWindow(1) & Causal(), lambda i, j, g, p: i - j > 1),
}
LAYOUTS = {
    "plain": [[0] * 6, [1] * 6],
    "right": [[0, 0, 0, -1, -1, -1], [1] * 6],
    "left": [[-1, -1, 0, 0, 0, 0], [1] * 6],
    "packed": [[0, 0, 1, 1, 1, -1], [2, 3, 3, 3, 3, 3]],
}


def facts(rows):
    document = torch.tensor(rows)
    order = torch.zeros_like(document)
    for row in range(len(rows)):
        for place in range(1, len(rows[row])):
            same = rows[row][place] == rows[row][place - 1] >= 0
            order[row, place] = order[row, place - 1] + 1 if same else 0
    return TokenInfo(order, order[..., None], document, torch.zeros_like(order), (order == 0) & (document >= 0),
                     {"prefix": (order < 2) & (document >= 0)})  # fmt: skip


def by_hand(query, key, value, info, sees, scale):
    out = torch.zeros_like(query)
    groups = query.shape[1] // key.shape[1]
    for b in range(len(info.order)):
        order, document = info.order[b].tolist(), info.document[b].tolist()
        for h in range(query.shape[1]):
            for i in range(len(order)):
                visible = []
                for j in range(len(order)):
                    same = document[i] == document[j] >= 0
                    flags = {
                        order[k]: bool(info.is_global[b, k]) for k in range(len(order)) if document[k] == document[i]
                    }
                    prefix = {order[k]: order[k] < 2 for k in range(len(order))}
                    if same and sees(order[i], order[j], flags, prefix):
                        visible.append(j)
                if visible:
                    scores = query[b, h, i] @ key[b, h // groups, visible].T * scale
                    out[b, h, i] = scores.softmax(-1) @ value[b, h // groups, visible]
    return out


@pytest.mark.parametrize("key_heads", [4, 2])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_is_the_formula_with_gradients(kernel, name, layout, key_heads):
    torch.manual_seed(0)
    pattern, sees = PATTERNS[name]
    info = facts(LAYOUTS[layout])
    query = torch.randn(2, 4, 6, 8, dtype=torch.float64, requires_grad=True)
    key, value = (torch.randn(2, key_heads, 6, 8, dtype=torch.float64, requires_grad=True) for _ in range(2))
    probe = torch.randn(2, 4, 6, 8, dtype=torch.float64)
    expected = by_hand(query, key, value, info, sees, 0.3)
    out = attend(query, key, value, Visibility(pattern, info), 0.3, kernel)
    torch.testing.assert_close(out, expected, atol=1e-10, rtol=0)
    wanted = torch.autograd.grad((expected * probe).sum(), (query, key, value), allow_unused=True)
    got = torch.autograd.grad((out * probe).sum(), (query, key, value))
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, torch.zeros_like(one) if other is None else other, atol=1e-10, rtol=0)
    assert (out[:, 0][info.document < 0] == 0).all()
    assert (got[0][:, 0][info.document < 0] == 0).all()


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_kernel_reads_other_keys_and_an_empty_context_gives_zero(kernel):
    queries, keys = TokenInfo.from_lengths([3, 2]), TokenInfo.from_lengths([5, 0])
    query = torch.randn(2, 2, 3, 4, requires_grad=True)
    key, value = torch.randn(2, 2, 5, 4), torch.randn(2, 2, 5, 4)
    out = attend(query, key, value, Visibility(Full(), queries, keys), kernel=kernel)
    assert (out[1] == 0).all() and (out[0] != 0).all()
    (gradient,) = torch.autograd.grad(out.sum(), query)
    assert (gradient[1] == 0).all()


def backbone(pattern, position):
    torch.manual_seed(1)
    made = Backbone(16, 2, {"a": partial(Attention, heads=2, pattern=pattern, qk_norm=True)}, position=position)
    return made.double().eval()


POSITIONS = {"none": Position(), "rotary": Rotary(), "sinusoidal": Sinusoidal(), "learned": Learned(16, [16])}


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("pattern", [Full(), Causal(), SlidingWindow(1, 1)], ids=str)
def test_a_sample_does_not_see_padding_or_mates(pattern, position):
    model = backbone(pattern, POSITIONS[position])
    x = torch.randn(1, 4, 16, dtype=torch.float64)
    alone = model(TokenSequence(x, TokenInfo.from_lengths([4]))).embeddings
    for side in ("left", "right"):
        batch = torch.randn(2, 7, 16, dtype=torch.float64)
        info = TokenInfo.from_lengths([4, 7], side=side)
        batch[0][info.document[0] >= 0] = x[0]
        out = model(TokenSequence(batch, info)).embeddings
        torch.testing.assert_close(out[0][info.document[0] >= 0], alone[0], atol=1e-10, rtol=0)
        assert (out[0][info.document[0] < 0] == 0).all()
    packed = facts([[0, 0, 0, 1, 1, 1, 1]])
    mates = torch.cat([torch.randn(1, 3, 16, dtype=torch.float64), x], 1)
    out = model(TokenSequence(mates, packed)).embeddings[:, 3:]
    torch.testing.assert_close(out, alone, atol=1e-10, rtol=0)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("size", [1, 2])
def test_steps_equal_the_full_pass_and_nothing_later_is_seen(size, side):
    model = backbone(Causal(), Rotary())
    info = TokenInfo.from_lengths([6, 4], side=side)
    x = torch.randn(2, 6, 16, dtype=torch.float64) * (info.document >= 0)[..., None]
    full = model(TokenSequence(x, info)).embeddings
    state, outs = None, []
    for start in range(0, 6, size):
        places = torch.arange(start, start + size).expand(2, -1)
        out, state = model.step(TokenSequence(x[:, start : start + size], info.pick(places)), state)
        outs.append(out.embeddings)
    torch.testing.assert_close(torch.cat(outs, 1), full, atol=1e-10, rtol=0)
    changed = x.clone()
    changed[:, 4:] += 1
    assert torch.equal(model(TokenSequence(changed, info)).embeddings[0, :4], full[0, :4])


@pytest.mark.parametrize("side", ["left", "right"])
def test_join_continues_documents(side):
    a, b = TokenInfo.from_lengths([2, 3], side="left"), TokenInfo.from_lengths([1, 4])
    parts = [TokenSequence(torch.randn(2, i.order.shape[1], 4), i, i.order) for i in (a, b)]
    out = join(parts, side)
    real = out.info.document >= 0
    assert [out.info.order[row][real[row]].tolist() for row in (0, 1)] == [[0, 1, 2], [0, 1, 2, 3, 4, 5, 6]]
    assert out.ids is not None and out.ids[0][real[0]].tolist() == [0, 1, 0]
    assert torch.equal(out.embeddings[0][real[0]][:2], parts[0].embeddings[0, 1:])
    assert real[0].tolist() == ([True] * 3 + [False] * 4 if side == "right" else [False] * 4 + [True] * 3)


def test_prefix_tokens_stand_before_every_document():
    info = facts(LAYOUTS["packed"])
    out = PrefixTokens(4, 2)(TokenSequence(torch.randn(2, 6, 4), info))
    for row, expected in enumerate([[0] * 4 + [1] * 5, [2] * 3 + [3] * 7]):
        document = out.info.document[row].tolist()
        assert document == expected + [-1] * (len(document) - len(expected))
    first = out.info.is_global & (out.info.coordinates[..., 0] < 0)
    assert int(first.sum()) == 8 and (out.info.order[first] < 2).all()


def test_rotary_scores_know_differences_only():
    x = torch.randn(1, 3, 16, dtype=torch.float64)
    model = backbone(Full(), Rotary())
    info = TokenInfo.from_lengths([3])
    moved = replace(info, coordinates=info.coordinates + 5)
    one, other = (model(TokenSequence(x, each)).embeddings for each in (info, moved))
    torch.testing.assert_close(one, other, atol=1e-6, rtol=0)  # tables are float32
    swapped = replace(info, coordinates=info.coordinates.flip(1))
    assert (model(TokenSequence(x, swapped)).embeddings - one).abs().max() > 1e-4


def test_a_position_table_is_resized_on_load_and_guards_its_edge():
    small, large = Learned(4, [2, 2]), Learned(4, [4, 4])
    large.load_state_dict(small.state_dict())
    torch.testing.assert_close(large.table.mean((0, 1)), small.table.mean((0, 1)), atol=0.02, rtol=0)
    with pytest.raises(ConfigError, match="raise position.grid"):
        Learned(4, [2]).embed(torch.zeros(1, 3, 4), TokenInfo.from_lengths([3]))


@pytest.mark.parametrize("pool", [MeanPool, FirstPool, LastPool, AttentionPool])
def test_a_pool_reads_each_document_alone(pool):
    torch.manual_seed(0)
    made, info = pool(8).double(), facts(LAYOUTS["packed"])
    tokens = TokenSequence(torch.randn(2, 6, 8, dtype=torch.float64), info).zero_padding()
    out = made(tokens, 5)
    for number in range(4):
        own = tokens.embeddings[info.document == number][None]
        alone = made(TokenSequence(own, TokenInfo.from_lengths([own.shape[1]])), 1)
        torch.testing.assert_close(out[number], alone[0], atol=1e-10, rtol=0)
    assert (out[4] == 0).all()  # a document without tokens


def test_errors_name_the_remedy():
    with pytest.raises(ConfigError, match="heads=3 does not divide dim=16"):
        Attention(16, 3)
    with pytest.raises(ConfigError, match="Did you mean 'sdpa'"):
        Attention(16, 2, kernel="spda")
    with pytest.raises(ConfigError, match="Did you mean 'near'"):
        Backbone(16, 1, {"near": partial(Attention, heads=2)}, ["naer"])
