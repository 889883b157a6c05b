"""What is prepared for FlashAttention over packed rows, and what it refuses; the kernel itself: test_gpu_kernels.py."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import torch

from mmattn import Causal, ConfigError, Full, GlobalTokens, SlidingWindow, TokenInfo, Visibility, attend
from mmattn.biases import ALiBi
from mmattn.kernels import Request
from mmattn.kernels.runs import Runs, in_steps_of_one, pack, runs, unpack, window
from mmattn.kernels.varlen import _refused_machine, refused_anywhere, varlen
from tests.core.examples import LAYOUTS, facts


@pytest.mark.parametrize(
    "layout, tokens, edges, longest",
    [
        ("plain", None, [0, 6, 12], 6),
        ("right", [0, 1, 2, 6, 7, 8, 9, 10, 11], [0, 3, 9], 6),
        ("left", [2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [0, 4, 10], 6),
        ("packed", [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11], [0, 2, 5, 6, 11], 5),
    ],
)
def test_documents_become_runs_without_padding(layout, tokens, edges, longest):
    queries, keys = runs(Visibility(Full(), facts(LAYOUTS[layout])))
    assert queries is keys
    assert listed(queries) == (tokens, edges, longest)


def listed(side: Runs) -> tuple[list[int] | None, list[int], int]:
    assert side.edges.dtype == torch.int32
    return None if side.tokens is None else side.tokens.tolist(), side.edges.tolist(), side.longest


def test_runs_of_two_sequences_pair_by_document_and_leave_out_what_has_no_partner():
    queries = facts([[0, 0, 1, 1, 1, -1], [2, 3, 3, 4, 4, 4]])
    keys = facts([[1, 0, 0, 0], [4, 4, 5, -1]])
    one, other = runs(Visibility(Full(), queries, keys))
    assert listed(one) == ([0, 1, 2, 3, 4, 9, 10, 11], [0, 2, 5, 8], 3)
    assert listed(other) == ([1, 2, 3, 0, 4, 5], [0, 3, 4, 6], 3)


def test_equal_numbers_in_different_rows_are_different_documents():
    one, other = runs(Visibility(Full(), facts([[0, 0], [1, 1]]), facts([[1], [0]])))
    assert listed(one) == ([], [0], 0) and listed(other) == ([], [0], 0)


def test_documents_must_stand_together():
    with pytest.raises(ValueError, match="must be contiguous"):
        runs(Visibility(Full(), facts([[0, 1, 0]])))


def test_without_tokens_there_are_no_runs():
    for info in (TokenInfo.from_lengths([0, 0], length=3), TokenInfo.from_lengths([0])):
        queries, _ = runs(Visibility(Full(), info))
        assert queries.edges.tolist() == [0] and queries.longest == 0


@pytest.mark.parametrize("layout", LAYOUTS)
def test_unpacking_puts_tokens_back_and_zeros_elsewhere_with_gradients(layout):
    info = facts(LAYOUTS[layout])
    side, _ = runs(Visibility(Full(), info))
    heads = torch.randn(2, 3, 6, 4, requires_grad=True)
    packed = pack(heads, side)
    assert packed.shape == (int(info.real.sum()), 3, 4)
    first = packed[: side.edges[1]]
    assert torch.equal(first.transpose(0, 1), heads[0][:, info.document[0] == 0])
    back = unpack(packed, side, 2, 6)
    real = info.real[:, None, :, None].expand_as(heads)
    assert torch.equal(back, heads.masked_fill(~real, 0.0))
    (grad,) = torch.autograd.grad(back.sum(), heads)
    assert torch.equal(grad, real.float())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("pattern", [Full(), Causal(), SlidingWindow(2), SlidingWindow(1, 3), SlidingWindow(0, 0)])
def test_windows_within_runs_are_the_pattern(pattern, layout):
    seen = Visibility(pattern, facts(LAYOUTS[layout]))
    queries, keys = runs(seen)
    before, after = window(pattern)
    mask = torch.zeros(12, 12, dtype=torch.bool)
    numbers = torch.arange(12) if queries.tokens is None else queries.tokens
    for start, stop in zip(queries.edges[:-1].tolist(), queries.edges[1:].tolist(), strict=True):
        for i in range(start, stop):
            first = start if before < 0 else max(start, i - before)
            last = stop if after < 0 else min(stop, i + after + 1)
            mask[numbers[i], numbers[first:last]] = True
    within = torch.block_diag(*(torch.ones(6, 6) for _ in range(2))).bool()
    assert torch.equal(mask[within].view(2, 6, 6), seen.mask[:, 0]) and not mask[~within].any()
    assert keys is queries


def test_other_patterns_are_no_window():
    for pattern in (SlidingWindow(2, dilation=2), SlidingWindow(2) | GlobalTokens(), ~Causal(), Full() & Causal()):
        assert window(pattern) is None


def test_steps_of_one_within_documents():
    info = facts(LAYOUTS["packed"])
    assert in_steps_of_one(info) and in_steps_of_one(replace(info, order=info.order + 7))
    assert not in_steps_of_one(replace(info, order=info.order * 2))
    assert in_steps_of_one(TokenInfo.from_lengths([3, 1], side="left")) and in_steps_of_one(TokenInfo.from_lengths([1]))


def by_run(query, key, value, edges, key_edges, longest, key_longest, *, scale, window_size, enable_gqa=False):
    """What torch's kernel computes, run by run: its place is taken where there is no GPU."""
    assert longest == edges.diff().max() and key_longest == key_edges.diff().max()
    assert enable_gqa == (query.shape[1] != key.shape[1])
    groups = query.shape[1] // key.shape[1]
    lengths, key_lengths = edges.diff().tolist(), key_edges.diff().tolist()
    each_run = zip(query.split(lengths), key.split(key_lengths), value.split(key_lengths), strict=True)
    return torch.cat([one_run(*tensors, groups, scale, *window_size) for tensors in each_run])


def one_run(query, key, value, groups, scale, before, after):
    distance = torch.arange(len(query))[:, None] - torch.arange(len(key))
    seen = (distance <= (before if before >= 0 else len(query))) & (distance >= -(after if after >= 0 else len(key)))
    key, value = (each.repeat_interleave(groups, 1).transpose(0, 1) for each in (key, value))
    scores = (query.transpose(0, 1) @ key.mT * scale).masked_fill(~seen, -torch.inf)
    return (scores.softmax(-1) @ value).transpose(0, 1)


OTHERS = facts([[0, 0, 0, 1], [4, 2, 3, 3]])


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("key_heads", [4, 2])
@pytest.mark.parametrize(
    "pattern, keys", [(Full(), None), (Causal(), None), (SlidingWindow(2, 1), None), (Full(), OTHERS)]
)
def test_around_the_kernel_nothing_is_lost_or_mixed(monkeypatch, pattern, keys, key_heads, layout):
    monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", by_run)
    seen = Visibility(pattern, facts(LAYOUTS[layout]), keys)
    length = seen.keys.order.shape[1]
    leaves = [torch.randn(2, heads, n, 8).double() for heads, n in ((4, 6), (key_heads, length), (key_heads, length))]
    leaves = [each.requires_grad_() for each in leaves]
    out, exact = varlen(Request(*leaves, seen, 0.3)), attend(*leaves, seen, 0.3, "reference")
    torch.testing.assert_close(out, exact)
    probe = torch.randn_like(out)
    for one, other in zip(*(torch.autograd.grad(each, leaves, probe) for each in (out, exact)), strict=True):
        torch.testing.assert_close(one, other)


def test_without_a_token_all_is_zero_with_zero_gradients():
    leaves = [torch.randn(2, heads, 3, 8, requires_grad=True) for heads in (4, 2, 2)]
    out = varlen(Request(*leaves, Visibility(Full(), TokenInfo.from_lengths([0, 0], length=3)), 1.0))
    assert all((each == 0).all() for each in (out, *torch.autograd.grad(out.sum(), leaves)))


def asked(width: int = 16, dtype: torch.dtype = torch.bfloat16, pattern=None, keys=None, **more) -> Request:
    info = more.pop("info", facts(LAYOUTS["packed"]))
    seen = Visibility(pattern or Full(), info, keys)
    query, key, value = (torch.randn(2, 2, len(side.order[0]), width) for side in (info, seen.keys, seen.keys))
    return Request(query.to(dtype), key.to(dtype), more.pop("value", value.to(dtype)), seen, 1.0, **more)


def test_what_it_can_do_is_refused_by_nothing_but_the_machine():
    able = [asked(), asked(dtype=torch.float16), asked(pattern=Causal()), asked(pattern=SlidingWindow(3, 1))]
    able += [asked(keys=facts([[0] * 4, [3] * 4])), asked(width=256)]
    assert [refused_anywhere(each) for each in able] == [None] * len(able)
    with torch.autocast("cpu", torch.bfloat16):
        assert refused_anywhere(asked(dtype=torch.float32)) is None


@pytest.mark.parametrize(
    "refused, said",
    [
        (asked(dtype=torch.float32), "got float32, float32, float32; set trainer.precision=bf16-mixed"),
        (asked(value=torch.randn(2, 2, 6, 16)), "got bfloat16, bfloat16, float32"),
        (asked(width=12), "heads of 8, 16, … 256 channels, .* got 12 and 12; choose other heads"),
        (asked(width=264), "got 264 and 264"),
        (asked(value=torch.randn(2, 2, 6, 8).bfloat16()), "values as wide as keys, and got 16 and 8"),
        (asked(bias=ALiBi(2)), "takes no bias; choose kernel=flex"),
        (asked(dropout=0.1), "drops no weights; set weight_dropout=0"),
        (asked(pattern=SlidingWindow(2, dilation=2)), "and not SlidingWindow.*; choose kernel=flex"),
        (asked(pattern=Causal(), keys=facts([[0] * 4, [3] * 4])), "another sequence can be seen in full alone"),
        (
            asked(pattern=Causal(), info=replace(facts([[0] * 6] * 2), order=torch.arange(6).expand(2, 6) * 2)),
            "some of these stand further apart",
        ),
    ],
)
def test_what_it_cannot_do_is_said_with_a_remedy(refused, said):
    assert re.search(said, refused_anywhere(refused) or "nothing")


def test_a_cpu_is_refused():
    given = asked()
    with pytest.raises(
        ConfigError, match="kernel=varlen: .* runs on CUDA, and these tensors are on cpu; choose kernel"
    ):
        attend(*given[:3], given.visibility, kernel="varlen")


def test_an_older_torch_is_taken_as_far_as_it_goes(monkeypatch):
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: (9, 0))
    device = torch.device("cuda")
    for told, plain, grouped in (
        (lambda *packed, scale, window_size, enable_gqa: None, None, None),
        (lambda *packed, scale, window_size: None, None, "no varlen_attn with grouped queries; install torch 2.14"),
        (lambda *packed: None, "no varlen_attn with windows and a scale", "no varlen_attn with windows and a scale"),
    ):
        monkeypatch.setattr("torch.nn.attention.varlen.varlen_attn", told)
        for groups, said in ((False, plain), (True, grouped)):
            found = _refused_machine.__wrapped__(device, groups)
            assert found is None if said is None else said in found
