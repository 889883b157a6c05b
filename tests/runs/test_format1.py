"""A run of format 1 that was stored once, its checkpoint cut down to the weights, still gives what it gave then."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mmattn.cli.main import main
from mmattn.cli.use import evaluate

FOLDER = Path(__file__).parent / "format1"


@pytest.mark.parametrize("split", ["validation", "test"])
def test_it_evaluates_to_the_recorded_figures(split):
    recorded = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))[split]
    found = evaluate(str(FOLDER), split)
    assert found["accuracy"] == pytest.approx(recorded["accuracy"], abs=0.003)  # a sample
    assert found["loss"] == pytest.approx(recorded["loss"], abs=1e-4)


def test_its_split_is_the_one_that_the_data_gives_now():
    from mmattn.data.digits import Digits

    split = json.loads((FOLDER / "split.json").read_text(encoding="utf-8"))
    now = Digits().samples("test")
    assert now is not None and split["test"] == [sample.name for sample in now]


def test_another_format_is_refused(tmp_path, capsys):
    for name in ("config.yaml", "state.json"):
        (tmp_path / name).write_text((FOLDER / name).read_text(encoding="utf-8").replace('"format": 1', '"format": 99'))
    assert main(["evaluate", str(tmp_path)]) == 1
    assert "99" in capsys.readouterr().err


def test_git_does_not_ignore_it():
    if not (FOLDER.parents[2] / ".git").exists():
        pytest.skip("not a git checkout")
    files = [str(path) for path in FOLDER.rglob("*") if path.is_file()]
    done = subprocess.run(["git", "check-ignore", *files], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 1 and len(files) == 6, done.stdout
