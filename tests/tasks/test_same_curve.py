"""A training does not depend on how attention is computed: every kernel gives the same losses."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from mmattn.build import build
from mmattn.composition.compose import composed
from mmattn.data.source import Sample

SMALL = [
    "experiment=text",
    "backbone.dim=32",
    "backbone.depth=2",
    "backbone.dropout=0",
    "tokenizer.max_length=700",
    "mixer.heads=2",
]
TEXT = "a window of few tokens slides over a long text, " * 11
STEPS = 4


@cache
def curve(kernel: str, *words: str) -> list[float]:
    torch.manual_seed(0)
    task = build(
        composed([*SMALL, "pattern=window", "pattern.before=16", f"mixer.kernel={kernel}", *words])
    ).task.train()
    assert {block.mixer.attend.keywords["kernel"] for block in task.backbone.blocks} == {kernel}
    batch = task.tokenizer.collate([task.tokenizer.prepare(Sample("x", TEXT))])
    optimizer, losses = torch.optim.Adam(task.parameters(), lr=3e-3), []
    for _ in range(STEPS):
        loss = task.evaluate(batch).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("bias", [(), ("+bias@mixer.score_bias=distance_buckets",)], ids=["no bias", "buckets"])
@pytest.mark.parametrize("kernel", ["sdpa", "blockwise", "auto"])
def test_every_kernel_gives_the_curve_of_the_formula(kernel, bias):
    expected = curve("reference", *bias)
    assert expected[-1] < expected[0] - 0.2
    assert curve(kernel, *bias) == pytest.approx(expected, abs=1e-4)


def test_another_pattern_gives_another_curve():
    assert curve("blockwise") != pytest.approx(curve("blockwise", "pattern.before=1"), abs=1e-3)
