"""`mmattn bench attention` on short sequences: what it computes, compares, reports and refuses; never how fast."""

from __future__ import annotations

import json
from functools import partial

import pytest
import torch

from mmattn.benchmarks import attention, machine, peers, roofline, scale
from mmattn.benchmarks.apart import Alone, alone
from mmattn.benchmarks.attention import difference, measured
from mmattn.benchmarks.cases import CASES
from mmattn.benchmarks.dense import dense_mask, visible_pairs
from mmattn.benchmarks.plot import bars
from mmattn.benchmarks.problem import Problem, forward_backward, make_inputs
from mmattn.benchmarks.roofline import attention_flops, measure
from mmattn.benchmarks.row import Row
from mmattn.benchmarks.scale import Point, exponent, growths
from mmattn.benchmarks.timing import Paired, paired, quartiles
from mmattn.cli.main import main

PAIRS = [(case, against) for case in CASES for against in CASES[case].against]


@pytest.fixture(autouse=True)
def small_roofline(monkeypatch):
    monkeypatch.setattr(roofline, "measure", partial(measure, size=64, elements=1000, turns=1))


@pytest.fixture
def no_child(monkeypatch):
    """Memory is not what the test is about: no process is started for it."""
    monkeypatch.setattr(attention, "apart", lambda *_: Alone(1, []))


@pytest.mark.parametrize("case, against", PAIRS)
def test_both_sides_of_every_row_compute_the_same(case, against):
    problem, peer = Problem.of(case, 512), peers.PEERS[against]
    inputs = make_inputs(512, peer.tokens_first)
    ours, other = (each.make(problem) for each in (peers.PEERS[peers.OURS], peer))
    assert difference(forward_backward(ours, inputs), forward_backward(other, inputs)) <= attention.TOLERANCE


@pytest.mark.parametrize("case", CASES)
def test_the_dense_mask_in_strips_is_the_mask(case):
    problem = Problem.of(case, 300)
    whole = problem.visibility().mask[0, 0]
    assert torch.equal(dense_mask(problem), whole)
    assert visible_pairs(problem) == int(whole.sum())


def test_the_json_holds_what_it_promises(tmp_path, capsys):
    file = tmp_path / "out.json"
    words = ["--length", "512", "--case", "window_256", "--against", "local_attention", "--turns", "2"]
    assert main(["bench", "attention", *words, "--threads", "1", "--json", str(file), "--out", str(tmp_path)]) == 0
    found = json.loads(file.read_text())
    assert found["machine"]["cores"] > 0 and found["versions"]["torch"] == torch.__version__.split("+")[0]
    assert found["threads"] == 1 and "commit" in found
    assert all(value > 0 for value in found["roofline"].values())
    (row,) = found["rows"]
    assert (row["case"], row["against"], row["length"]) == ("window_256", "local_attention", 512)
    assert row["ratio_low"] <= row["ratio"] <= row["ratio_high"]
    assert all(row[name] > 0 for name in ("with_plan_ratio", "ours_seconds", "other_seconds", "roofline_fraction"))
    assert row["other_peak_bytes"] > 512 * 512 * 4 * 4  # it writes scores of twice its window
    assert row["share"] == pytest.approx(sum(min(n + 1, 257) for n in range(512)) / 512**2)
    assert row["kernel"] in ("sdpa", "blockwise") and not row["wrong"] and not row["note"]
    assert "window_256 / local_attention" in (tmp_path / "attention.html").read_text()
    assert "local_attention" in capsys.readouterr().out


def test_a_wrong_kernel_is_found(monkeypatch, tmp_path, capsys):
    right = peers.attend
    monkeypatch.setattr(peers, "attend", lambda *inputs, **told: right(*inputs, **told) * 1.001)
    words = ["--length", "256", "--case", "causal", "--turns", "1", "--out", str(tmp_path)]
    assert main(["bench", "attention", *words]) == 1
    assert "do not compute the same: outputs differ by up to" in capsys.readouterr().err


@pytest.mark.parametrize("broken", range(4))
def test_outputs_and_each_gradient_are_compared(broken):
    ours = [torch.zeros(3) for _ in range(4)]
    other = [each.clone() for each in ours]
    other[broken][1] = float("nan")
    with pytest.raises(attention.MmattnError, match="differ"):
        difference(ours, other)


def test_a_missing_peer_is_named_with_the_remedy(monkeypatch, no_child, tmp_path, capsys):
    monkeypatch.setattr(machine, "find_spec", lambda name: None)
    words = ["bench", "attention", "--length", "256", "--case", "window_256", "--turns", "1", "--out", str(tmp_path)]
    assert main(words) == 0
    shown = capsys.readouterr()
    assert "local-attention is not installed: pip install 'mmattn[bench]'" in shown.out and not shown.err
    assert main([*words, "--against", "local_attention"]) == 1
    assert "pip install 'mmattn[bench]'" in capsys.readouterr().err


def test_a_length_that_a_peer_does_not_take_is_not_measured():
    row = measured("window_256_two_sided", "longformer", 300, 1, 1, 1e9)
    assert row.ratio is None and "multiples of 512" in row.note and not row.wrong


@pytest.mark.parametrize(
    "words, said",
    [
        (["--scale", "--against", "sdpa"], "--scale measures ours alone"),
        (["--case", "window_257"], "Did you mean 'window_256'?"),
        (["--pattern", "indow"], "There is no case 'indow'."),
        (["--against", "spda"], "Did you mean 'sdpa'?"),
        (["--case", "full", "--against", "longformer"], "full: not measured against longformer."),
        (["--case", "packed_64_causal", "--length", "32"], "packs 64 documents"),
    ],
)
def test_what_cannot_be_is_one_message(words, said, capsys, tmp_path):
    assert main(["bench", "attention", *words, "--out", str(tmp_path)]) == 1
    assert said in capsys.readouterr().err


def test_a_pattern_is_the_beginning_of_cases(no_child, tmp_path):
    file = tmp_path / "out.json"
    words = ["--pattern", "window", "--against", "sdpa", "--length", "256", "--turns", "1"]
    assert main(["bench", "attention", *words, "--json", str(file), "--out", str(tmp_path)]) == 0
    assert [row["case"] for row in json.loads(file.read_text())["rows"]] == ["window_256", "window_256_two_sided"]


def test_sides_take_turns_and_ratios_are_our_time_over_the_others():
    called = []
    times = paired(lambda: called.append("ours"), lambda: called.append("other"), 3)
    assert called == ["ours", "other"] * 3 and len(times.ours) == len(times.other) == 3
    assert Paired([1.0, 2.0], [4.0, 2.0]).ratios == [0.25, 1.0]
    assert quartiles([4.0, 1.0, 2.0, 3.0, 5.0]) == (2.0, 3.0, 4.0)


def test_the_roofline_is_positive_and_operations_are_counted():
    assert all(value > 0 for value in measure(size=64, elements=1000, turns=1))
    assert attention_flops(10) == 3.5 * 4 * 10 * 64 * 4


def test_exponents_of_known_growth():
    lengths = [2**n for n in range(5, 12)]
    assert exponent(lengths, [3e-6 * n**1.5 for n in lengths]) == pytest.approx(1.5)
    found = [Point("a", n, 1e-3 * n, n**2) for n in lengths] + [Point("b", 64, 1.0, 1)]
    (growth,) = growths(found)
    assert growth.case == "a"
    assert (growth.time_exponent, growth.memory_exponent) == (pytest.approx(1), pytest.approx(2))


def test_scale(monkeypatch, tmp_path, capsys):
    # In this process, which saves two starts; that of the table's memory is a real one.
    monkeypatch.setattr(scale, "apart", lambda case, length, side, threads, turns: alone(case, length, side, turns))
    file = tmp_path / "scale.json"
    words = ["--scale", "--case", "window_256", "--length", "256", "1024", "--turns", "1", "--threads", "1"]
    assert main(["bench", "attention", *words, "--json", str(file), "--out", str(tmp_path)]) == 0
    found = json.loads(file.read_text())
    assert [point["length"] for point in found["scale"]] == [256, 1024]
    assert all(point["seconds"] > 0 and point["peak_bytes"] >= 0 for point in found["scale"])
    assert found["growth"][0]["case"] == "window_256"
    assert "time ∝ length^" in capsys.readouterr().out
    assert "polyline" in (tmp_path / "scale.html").read_text()


def test_bars_leave_out_what_was_not_measured():
    rows = [Row("full", "sdpa", 256, 2.0, 1.5, 2.5), Row("causal", "sdpa", 256, 0.5, 0.5, 0.5), Row("a", "b", 256)]
    drawn = bars(rows)
    assert drawn.count("<rect") == 2 and drawn.count('class="hit"') == drawn.count('class="miss"') == 1
    assert bars(rows[2:]) == ""
