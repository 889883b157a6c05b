"""`mmattn bench capture` and `mmattn bench sampling`, with a small model: what is compared, never how fast."""

from __future__ import annotations

import json

import pytest
import torch

from mmattn.benchmarks import painter as painters
from mmattn.benchmarks.capture import watched
from mmattn.benchmarks.painter import Painter, painter
from mmattn.benchmarks.ratio import ratio
from mmattn.benchmarks.sampling import cached
from mmattn.cli.main import main
from mmattn.errors import MmattnError


@pytest.fixture
def small() -> Painter:
    return painter(dim=64, side=4, words=6, depth=6)


def test_the_text_changes_the_picture(small):
    with torch.no_grad():
        one, memory = small.sample(small.read, 2), small.read()
        memory.tokens.embeddings.add_(1.0)
        assert not torch.allclose(one, small.sample(lambda: memory, 2), atol=1e-3)


def test_capture_changes_no_bit(small):
    found = watched(small, 2)
    assert found.identical and found.largest_difference == 0 and found.turns == 2
    assert "bit-identical" in found.line()


def test_a_context_that_is_cached_gives_the_same(small, monkeypatch):
    read = []
    monkeypatch.setattr(small, "read", lambda: read.append(1) or Painter.read(small))
    found = cached(small, 1, steps=3)
    assert found.largest_difference <= 1e-5 and found.ours_seconds > 0
    assert len(read) == 2 * (1 + 3)


def test_results_that_differ_are_said():
    with pytest.raises(MmattnError, match="one and two do not compute the same: they differ by up to 1"):
        ratio("one", lambda: torch.zeros(2), "two", lambda: torch.ones(2), 1)
    with pytest.raises(MmattnError, match="do not compute the same"):
        ratio("one", lambda: torch.zeros(2), "two", lambda: torch.full((2,), torch.nan), 1)


@pytest.mark.parametrize("what", ["capture", "sampling"])
def test_the_json_holds_the_ratio(what, small, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(painters, "painter", lambda: small)
    file = tmp_path / "out.json"
    assert main(["bench", what, "--turns", "1", "--threads", "1", "--json", str(file)]) == 0
    known = json.loads(file.read_text())
    assert known["threads"] == 1 and known[what][0]["ratio"] > 0 and "processor" in known["machine"]
    assert "÷" in capsys.readouterr().out
