"""Every comparison, found by itself, runs in small from its command to its page; a stopped one goes on."""

from __future__ import annotations

import json
import math

import pytest

from mmattn.cli.compare import names
from mmattn.cli.main import main
from mmattn.compare import mean_and_deviation
from mmattn.errors import TrainingError
from mmattn.why.training import Fitted, best

SMALL = {
    "why/fixed_bottleneck": [
        "comparison.steps=2", "comparison.rows=2", "comparison.tested=2", "comparison.dim=16",
        "comparison.task.lengths=[3,5]", "comparison.task.tested=[3,5]",
    ],
    "why/fixed_bottleneck_dates": [
        "comparison.steps=2", "comparison.rows=2", "comparison.tested=2", "comparison.dim=16",
        "comparison.task.samples=400", "comparison.task.upto=[12,40]",
    ],
    "why/multi_head": [
        "comparison.steps=2", "comparison.rows=2", "comparison.dim=16", "comparison.depth=1", "comparison.length=16",
        "comparison.letters=64",
    ],
    "why/position": [
        "comparison.steps=2", "comparison.rows=2", "comparison.dim=16", "comparison.depth=1", "comparison.length=16",
        "comparison.lengths=[16,32]", "comparison.letters=64",
    ],
    "why/quadratic_cost": [
        "comparison.mixers=[attention,attention_causal,linear_attention]", "comparison.lengths=[64,128]",
        "comparison.fit_from=64", "comparison.turns=1", "comparison.threads=1",
    ],
    "why/recall": [
        "comparison.pairs_training.steps=2", "comparison.rows=2", "comparison.dim=32", "comparison.pairs=[2,4]",
        "comparison.others_training.steps=2",
        "comparison.length=32", "comparison.distances=[4,8]", "comparison.symbols=20",
    ],
    "why/scale": [
        "comparison.steps=2", "comparison.rows=2", "comparison.dim=16", "comparison.widths=[4,8]", "comparison.keys=8",
        "comparison.pairs=2", "comparison.length=16",
    ],
    "why/sequential_computation": [
        "comparison.mixers=[lstm,attention_causal]", "comparison.tokens=64", "comparison.lengths=[16,32]",
        "comparison.turns=1",
    ],
    "why/vanishing_gradient": [
        "comparison.steps=2", "comparison.rows=2", "comparison.dim=32", "comparison.depth=1",
        "comparison.delays=[4,8]",
    ],
}  # fmt: skip
"""What makes each comparison last seconds."""
LONGER = {"why/quadratic_cost", "why/recall", "why/sequential_computation", "why/vanishing_gradient"}
"""Those that start processes, read a thousand tokens one after the other, or train many models."""


def test_every_comparison_is_tested():
    assert names() == sorted([*SMALL, "mixers"])  # the last in test_matched.py


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in LONGER)) for n in sorted(SMALL)])
def test_a_comparison_states_what_it_found(name, tmp_path, capsys):
    folder = tmp_path / "run"
    assert main(["compare", name, *SMALL[name], f"run.dir={folder}"]) == 0
    printed = capsys.readouterr().out
    results = json.loads((folder / "results.json").read_text())
    assert results["claim"].startswith("Claim: ") and results["command"].startswith(f"mmattn compare {name}")
    assert results["claims"] and all(
        set(each) == {"claim", "measured", "expected", "holds"} for each in results["claims"]
    )
    assert all(each["claim"] in printed for each in results["claims"])
    page = (folder / "report.html").read_text()
    assert "<svg" in page and list(folder.glob("*.svg"))
    measured = {path: path.read_text() for path in (folder / "parts").rglob("*.json")}
    (folder / "results.json").unlink()
    assert main(["compare", name, *SMALL[name], f"run.dir={folder}"]) == 0
    again = json.loads((folder / "results.json").read_text())
    assert again["claims"] == results["claims"] and again["tables"] == results["tables"]
    assert {path: path.read_text() for path in (folder / "parts").rglob("*.json")} == measured


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "needs one: "),
        (["why/recal"], "'why/recal'. Did you mean 'why/recall'?"),
        (["why/recall", "why/scale"], "takes one"),
        (["why/recall", "comparison.stepss=3"], "comparison.stepss"),
        (["why/recall", "seeds=0"], "seeds=0 must be a whole number"),
        (["why/recall", "~comparison.pairs_training.other"], "needs steps, rates, other, and nothing else"),
        (["why/recall", "+comparison.models.mine=[near,mamba3]"], "names 'mamba3'"),
        (["why/quadratic_cost", "comparison.mixers=[atention]"], "'atention'. Did you mean 'attention'?"),
        (["why/recall", "comparison.distances=[200]"], "comparison.length=128 is too short"),
        (["why/recall", "compare=why/scale"], "without compare="),
        (["why/position", "comparison.kinds=[rotery]"], "'rotery'"),
        (["why/position", "comparison.length=100"], "must begin with that of the training, 100"),
        (["why/multi_head", "comparison.heads=[2,4]"], "must hold 1 and comparison.tied=4"),
        (["why/scale", "comparison.widths=[16]"], "comparison.widths=[16] must hold 2 or more"),
        (["why/scale", "comparison.pairs=30"], "too short to ask for 30 pairs"),
        (["why/quadratic_cost", "seeds=3"], "nothing that has a seed"),
        (["why/sequential_computation", "comparison.lengths=[0]"], "comparison.lengths=0"),
        (
            ["why/sequential_computation", "comparison.lengths=[8,8]"],
            "lengths=[8, 8] must hold 1 or more whole numbers",
        ),
        (["why/quadratic_cost", "comparison.lengths=[4096,4096]"], "[4096, 4096] must hold 2 or more whole numbers"),
        (["why/sequential_computation", "comparison.turns=0"], "comparison.turns=0"),
        (["why/quadratic_cost", "comparison.turns=0"], "comparison.turns=0"),
        (["why/recall", "comparison.others_training.rates=1"], "others_training.rates=1 must be a list"),
        (["why/recall", "comparison.others_training.rates=[-1]"], "others_training.rates=-1 must be a number above 0"),
        (["why/fixed_bottleneck", "comparison.rates=1"], "comparison.rates=1 must be a list of learning rates"),
        (["why/fixed_bottleneck", "comparison.tested=0"], "comparison.tested=0 must be a whole number"),
        (["why/vanishing_gradient", "comparison.rates=[]"], "comparison.rates=[] must be a list of learning rates"),
        (["why/vanishing_gradient", "comparison.delays=[0]"], "comparison.delays=0"),
        (["why/vanishing_gradient", "comparison.delays=[4,4]"], "delays=[4, 4] must hold 2 or more whole numbers, all"),
        (["why/vanishing_gradient", "comparison.rows=0"], "comparison.rows=0"),
        (["why/vanishing_gradient", "comparison.symbols=2"], "comparison.symbols=2"),
        (["why/vanishing_gradient", "comparison.dim=30"], "head width of 15"),
        (["why/multi_head", "comparison.dim=12"], "head width of 3"),
        (["why/multi_head", "comparison.heads=[1,3,4]"], "heads=3 does not divide"),
        (["why/multi_head", "comparison.tied=16"], "must hold 1 and comparison.tied=16"),
        (["why/multi_head", "comparison.rate=abc"], "comparison.rate=abc must be a number"),
        (["why/multi_head", "comparison.dim=0"], "comparison.dim=0"),
        (["why/position", "comparison.kinds=[]"], "comparison.kinds is empty"),
        (["why/position", "comparison.steps=0"], "comparison.steps=0"),
        (["why/scale", "comparison.steps=0"], "comparison.steps=0"),
        (["why/scale", "comparison.length=16.5"], "comparison.length=16.5 must be a whole number"),
        (["why/fixed_bottleneck", "comparison.task.tested=[]"], "comparison.task.tested=[] must hold 2 or more"),
        (["why/fixed_bottleneck", "comparison.dim=18"], "heads=4 does not divide"),
        (["why/fixed_bottleneck_dates", "comparison.task.upto=[3,4]"], "no dates are so short"),
        (["why/recall", "+comparison.models.mine=[]"], "comparison.models.mine has no layers"),
        (["why/recall", "comparison.pairs=[0]"], "comparison.pairs=0"),
        (["why/recall", "comparison.distances=[-5]"], "comparison.distances=-5"),
        (["why/recall", "comparison.mixers.mamba2_16.chunk=0"], "chunk=0"),
        (["why/recall", "comparison.placed=[atention]"], "comparison.placed names 'atention'"),
        (["why/recall", "comparison.mixers.linear.both_ways=true"], "comparison.models.linear: Linear attention that"),
        (["why/recall", "comparison.seeds=0"], "comparison.seeds=0"),
        (["why/scale", "comparison.seeds=0"], "comparison.seeds=0"),
        (["why/position", "comparison.seeds=0"], "comparison.seeds=0"),
        (["why/multi_head", "comparison.seeds=0"], "comparison.seeds=0"),
        (["why/fixed_bottleneck", "comparison.seeds=0"], "comparison.seeds=0"),
        (["why/vanishing_gradient", "comparison.seeds=0"], "comparison.seeds=0"),
        (["why/position", "pattern=full"], "pattern=full changes nothing: what is compared has patterns of its own"),
        (["why/fixed_bottleneck", "comparison.task.lengths=[4,12,24]"], "must hold two: the shortest and the longest"),
        (["why/quadratic_cost", "+comparison.most.attention=abc"], "comparison.most.attention=abc must be a whole"),
        (["why/scale", "comparison._target_=mmattn.why.scale.Scal"], "cannot be imported"),
        (["why/scale", "~comparison"], "why/scale has no comparison._target_"),
        (["why/scale", "~seeds"], "The config lacks 'seeds'"),
    ],
)
def test_what_cannot_be_compared_is_said_before_anything_is_measured(words, message, tmp_path, capsys):
    folder = [f"run.dir={tmp_path / 'run'}"] if words else []
    assert main(["compare", *words, *folder]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run/parts").exists()


def test_what_was_trained_with_the_best_rate_counts():
    ends = {1.0: math.nan, 2.0: 0.2, 3.0: 0.1, 4.0: math.inf}
    fitted = {rate: Fitted([(1, 0.0), (2, loss)], 0.0) for rate, loss in ends.items()}
    assert best(list(ends), lambda rate: (f"at {rate}", fitted[rate])) == (3.0, "at 3.0", fitted[3.0])
    assert best([1.0, 2.0], lambda rate: (rate, fitted[rate]))[0] == 2.0


def test_a_folder_holds_one_comparison(tmp_path, capsys):
    words = ["compare", "why/scale", *SMALL["why/scale"], f"run.dir={tmp_path}"]
    assert main(words) == 0
    assert main([*words, "seeds=2"]) == 0 and "_2: " in capsys.readouterr().out  # one more of each
    assert main([*words, "comparison.keys=9"]) == 1
    assert "other settings" in capsys.readouterr().err
    (tmp_path / "measured_by.json").write_text("{}")
    assert main(words) == 1
    assert "measured by other code of mmattn, other versions, other threads" in capsys.readouterr().err
    (tmp_path / "comparison.yaml").unlink()
    assert main(words) == 1
    assert "is not empty and holds no comparison" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("run.dir=2026", "run.dir=2026 must be a path, or null; for a folder of that name write run.dir=./2026"),
        ("run=runs/recall", "run=runs/recall must hold settings: give those that differ, as run.NAME="),
        ("~run", "The config lacks 'run'"),
    ],
)
def test_a_folder_is_named_by_a_path(word, message, capsys):
    assert main(["compare", "why/scale", *SMALL["why/scale"], word]) == 1
    assert message in capsys.readouterr().err


def test_a_comparison_of_ones_own_that_is_no_comparison_says_what_it_lacks(tmp_path, capsys):
    (tmp_path / "compare").mkdir()
    (tmp_path / "compare/mine.yaml").write_text("name: mine\ncomparison: {_target_: mmattn.why.scale.Scale}\n")
    assert main(["compare", "mine", "--config-dir", str(tmp_path)]) == 1
    assert "The file of mine lacks its first line: # @package _global_" in capsys.readouterr().err


def test_a_training_that_fails_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    def failed(*_):
        raise TrainingError("The disk is full.")

    monkeypatch.setattr("mmattn.why.scale.softmax_of_normals", failed)
    assert main(["compare", "why/scale", *SMALL["why/scale"], f"run.dir={tmp_path}"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(
        "mmattn: The disk is full.\nWhat was measured is kept, and with this mended: go on with mmattn "
    )
    assert f"run.dir={tmp_path}" in said


def test_ctrl_c_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("mmattn.why.scale.softmax_of_normals", stopped)
    assert main(["compare", "why/scale", *SMALL["why/scale"], f"run.dir={tmp_path}"]) == 130
    assert f"run.dir={tmp_path}" in capsys.readouterr().err


def test_several_seeds_are_shown_with_what_they_differ_by():
    assert mean_and_deviation([0.5], "{:.1%}") == "50.0%"
    assert mean_and_deviation([1.0, 2.0, 3.0], "{:.2f}") == "2.00 ± 1.00"
    for none in (math.nan, math.inf):  # of a training that diverged
        assert mean_and_deviation([1.0, none], "{:.2f}") == "nan"
