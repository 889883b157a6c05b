"""What a terminal shows: aligned columns, times and sizes as people say them, sweeps, and notes before a training."""

from __future__ import annotations

import json

import pytest

from mmattn.cli.say import following
from mmattn.cli.sweep import Swept, summary, swept
from mmattn.cli.tables import aligned, duration, figure_lines, figures, size
from mmattn.run import Run


def test_columns_are_as_wide_as_their_widest_cell():
    rows = [("a", "bbb", "c"), ("aaaa", "b"), ("ä", "", "ccc")]
    assert aligned(rows, "> ") == "> a      bbb   c\n> aaaa   b\n> ä            ccc"
    assert aligned([("", "")]) == ""


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"), (0.44, "0.4 s"), (9.94, "9.9 s"), (10, "10 s"), (119.4, "119 s"), (120, "2 min"),
        (119 * 60, "119 min"), (7200, "2 h 0 min"), (3 * 3600 + 20 * 60 + 29, "3 h 20 min"), (90_000, "25 h 0 min"),
    ],
)  # fmt: skip
def test_times(seconds, said):
    assert duration(seconds) == said


def test_sizes_and_figures():
    assert [size(count) for count in (0, 350e6, 999.4e6, 1.24e9)] == ["0 MB", "350 MB", "999 MB", "1.2 GB"]
    many = {f"figure_{place}": 0.5 for place in range(9, 0, -1)}
    lines = figure_lines(many, 40)
    assert lines[0] == "figure_9 0.5000, figure_8 0.5000," and len(lines) == 5 and lines[-1] == "figure_1 0.5000"
    assert figure_lines({"loss": 0.21009, "accuracy": 1}) == ["accuracy 1.0000, loss 0.2101"]
    assert figures({"loss": 0.21009, "accuracy": 1}) == "accuracy 1.0000, loss 0.2101" and figures({}) == ""


def make_run(folder, overrides, results=None):
    (folder / ".hydra").mkdir(parents=True)
    (folder / ".hydra" / "overrides.yaml").write_text(json.dumps(overrides))
    if results is not None:
        (folder / "results.json").write_text(json.dumps(results))


def test_the_runs_of_a_sweep_are_read_in_order_from_their_folders(tmp_path):
    make_run(tmp_path / "10", ["seed=10"], {"test": {"loss": 1.0}, "validation": {"loss": 2.0}})
    make_run(tmp_path / "2", ["seed=2", "x=[1,2]"], {"validation": {"loss": 3.0}})
    make_run(tmp_path / "3", ["seed=3"])
    found = swept(tmp_path)
    assert [run.name for run in found] == ["2", "3", "10"]
    assert [run.metrics for run in found] == [{"validation loss": 3.0}, None, {"test loss": 1.0}]
    assert found[0].overrides == ("seed=2", "x=[1,2]")


def test_a_sweep_shows_what_differs_and_leaves_failed_runs_out_of_the_mean():
    runs = [
        Swept("0", ("experiment=image", "seed=0"), {"loss": 1.0, "f1": 0.5}),
        Swept("1", ("experiment=image", "seed=1"), None),
        Swept("2", ("experiment=image", "seed=2"), {"loss": 3.0}),
    ]
    lines = [line.split("   ") for line in summary(runs).splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert cells == [
        ["run", "with", "f1", "loss"], ["0", "seed=0", "0.5000", "1.0000"], ["1", "seed=1", "failed"],
        ["2", "seed=2", "3.0000"], ["2 seeds", "all", "2.0000 ± 1.4142"],
    ]  # fmt: skip


def test_a_single_run_has_no_spread():
    assert summary([Swept("0", ("seed=0",), {"loss": 1.0})]).splitlines()[1].split() == ["0", "all", "1.0000"]


def test_what_to_do_next_depends_on_what_was_trained(tmp_path):
    kinds = {name: type("Task", (), {name: None}) for name in ("generate", "predicted", "nothing")}
    said = {name: following(kind(), Run(tmp_path)) for name, kind in kinds.items()}
    for vocabulary, prompt in ((None, "--prompt-file FILE"), (["a"], "--prompt …")):
        reads = type("Words", (), {"vocabulary": vocabulary})
        draws = type("Task", (), {"draws": True, "source": reads, "pictures": None, "predicted": None})
        assert following(draws(), Run(tmp_path)) == f"mmattn generate {tmp_path} {prompt} --out out.png"
    assert said["generate"] == f"mmattn generate {tmp_path} --prompt 'The '"
    assert said["predicted"] == f"mmattn predict {tmp_path} FILE"
    assert said["nothing"] == f"mmattn train EXPERIMENT init_from={tmp_path} 'init_parts=[backbone]'"
