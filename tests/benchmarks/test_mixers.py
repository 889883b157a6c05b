"""`mmattn bench mixers`, on few tokens: parts measure what they say, and sides that are one layer compute the same."""

from __future__ import annotations

import json
from functools import partial
from importlib.util import find_spec

import pytest
import torch

from mmattn.benchmarks import machine, mixers
from mmattn.cli import bench_mixers
from mmattn.cli.main import main
from mmattn.errors import MmattnError
from mmattn.mixers import Mamba2, Recurrent


@pytest.fixture
def few(monkeypatch):
    for name, value in {"LENGTHS": (64,), "SCALE": (64, 256), "EARLY": 4, "LATE": 64, "STEPS": 2}.items():
        monkeypatch.setattr(mixers, name, value)
    monkeypatch.setattr(mixers, "LAYOUTS", {"documents": [[5, 3], [9]], "padding": [[4], [6]]})
    monkeypatch.setattr(bench_mixers, "CHUNKED", ("retention",))


def test_each_part_is_measured(few, tmp_path, capsys):
    file = tmp_path / "found.json"
    parts = ["linear", "scaling", "decoding", "recurrent"]
    assert main(["bench", "mixers", "--part", *parts, "--turns", "1", "--json", str(file)]) == 0
    found = json.loads(file.read_text())
    assert set(parts) <= set(found)
    assert [(row["mixer"], row["length"]) for row in found["linear"]] == [("linear_attention", 64), ("mamba2", 64)]
    *points, growth = found["scaling"]
    assert [point["length"] for point in points] == [64, 256] and set(growth) >= {"time_exponent", "memory_exponent"}
    assert {row["mixer"] for row in found["decoding"]} == {"retention", "lstm", "gru", "window_256"}
    assert len(found["recurrent"]) == 4 and all(row["largest_difference"] < 1e-5 for row in found["recurrent"])
    assert "retention, a token at 64 ÷ at 4" in capsys.readouterr().out


def test_both_sides_of_recurrent_layers_are_compared(few, monkeypatch):
    forward = Recurrent.forward
    monkeypatch.setattr(Recurrent, "forward", lambda self, x, context: forward(self, x, context) + 0.1)
    with pytest.raises(MmattnError, match="do not compute the same: they differ by up to 0.1"):
        mixers.recurrent("gru", "documents", 1)


@pytest.mark.skipif(not find_spec("transformers"), reason="transformers is not installed")
def test_mamba2_is_that_of_transformers():
    found = mixers.mamba2(1, 32, length=70)
    assert found.largest_difference < 1e-4 and found.turns == 1


@pytest.mark.skipif(not find_spec("mambapy"), reason="mambapy is not installed")
def test_mambapy_is_measured_as_it_comes(tmp_path, monkeypatch, capsys):
    made = []
    monkeypatch.setattr(mixers, "mambapy", partial(mixers.mambapy, length=70))
    monkeypatch.setattr(mixers, "Mamba2", lambda dim, state: made.append((dim, state)) or Mamba2(dim, state=state))
    file = tmp_path / "found.json"
    assert main(["bench", "mixers", "--part", "mambapy", "--turns", "1", "--json", str(file)]) == 0
    assert "Mamba-2, states of 64 ÷ mambapy's Mamba, states of 16, 70 tokens: " in capsys.readouterr().out
    found = json.loads(file.read_text())
    assert [(row["state"], row["other_state"]) for row in found["mambapy"]] == [(16, 16), (64, 16)]
    assert made == [(256, 16), (256, 64)] and all(row["ratio"] > 0 for row in found["mambapy"])
    assert found["versions"]["mambapy"]


def test_each_part_can_be_asked_for(capsys):
    with pytest.raises(SystemExit):
        main(["bench", "mixers", "--part", "none"])
    refused = capsys.readouterr().err
    assert all(f"'{part}'" in refused for part in bench_mixers.PARTS)


@pytest.mark.parametrize(("library", "measure"), [("mambapy", mixers.mambapy), ("transformers", mixers.mamba2)])
def test_a_library_that_is_missing_is_named(library, measure, monkeypatch):
    monkeypatch.setattr(machine, "find_spec", lambda name: None)
    with pytest.raises(MmattnError, match=rf"{library} is not installed: pip install 'mmattn\[bench\]'"):
        measure(16, 1)


def test_a_step_is_taken_where_the_state_ends():
    state = mixers._behind(mixers.made("window_256"), 40)
    assert torch.equal(state.info.order[0], torch.arange(40))
