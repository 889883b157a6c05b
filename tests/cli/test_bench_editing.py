"""`mmattn bench editing` on a run: which pictures are compared, and what is written."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from mmattn.benchmarks import editing
from mmattn.benchmarks.edits import swaps
from mmattn.cli.main import main
from mmattn.cli.use import load_task

ASKED = {"steps": 2, "guidance": 3.0, "seed": 5}


@pytest.fixture
def task(drawing_run, monkeypatch):
    """It has learned hardly anything: what of it is compared is looked at, and not what it shows."""
    monkeypatch.setattr(editing, "change", lambda swap, before, after: (before, after))
    return load_task(str(drawing_run))


def apart(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one.astype(int) - other).max())


def test_each_pair_has_its_noise_and_its_prompts(task):
    found = list(editing.edits(task, swaps(5), 1.0, 0.5, ASKED))
    assert [edit.seed for edit in found] == [5, 6, 7, 8, 9] and {edit.swap for edit in found} == set(swaps(5))
    for edit in found[1:3]:
        (first, _), (again, plain), (begun, _) = edit.injected, edit.plain, edit.begun
        assert first is again is begun
        read = [editing._read(task.source, text) for text in (edit.swap.before, edit.swap.after)]
        alone = [task.pictures([each], count=1, **{**ASKED, "seed": edit.seed})[0] for each in read]
        assert apart(first, alone[0]) <= 1 and apart(plain, alone[1]) <= 1


def test_maps_and_the_first_prompt_are_read_in_a_share_of_the_steps(task):
    torch.manual_seed(0)
    for name, parameter in task.named_parameters():  # what it reads then changes what it draws
        if "modulation" in name or name.endswith("mixer.out.weight"):
            parameter.data.normal_(std=0.5)
        if "query_norm" in name:
            parameter.data.fill_(5.0)
        if name.startswith("head."):  # and is seen in the picture
            parameter.data.mul_(3.0)
    (none,), (whole,) = (list(editing.edits(task, swaps(1), share, share, ASKED)) for share in (0.0, 1.0))
    assert apart(none.injected[1], none.plain[1]) <= 1
    assert apart(whole.injected[1], whole.plain[1]) > 1
    assert apart(none.begun[1], none.plain[1]) <= 1  # all of its steps read the second prompt, or the first
    assert apart(whole.begun[1], whole.begun[0]) <= 1 < apart(whole.begun[1], whole.plain[1])


def test_a_run_is_measured(drawing_run, tmp_path, capsys):
    file = tmp_path / "editing.json"
    words = ["--run", str(drawing_run), "--prompts", "6", "--steps", "2", "--json", str(file)]
    assert main(["bench", "editing", *words]) == 0
    found = json.loads(file.read_text())
    assert found["summary"][0]["edits"] == len(found["edits"]) == 6
    assert found["steps"] == 2 and found["share"] == 1.0 and found["begin"] == 0.5 and found["guidance"] == 3.0
    assert {"right", "changed", "kept"} == set(found["edits"][0]["injected"])
    assert "maps injected: " in capsys.readouterr().out


def test_what_cannot_be_measured_is_said(drawing_run, image_run, capsys):
    assert main(["bench", "editing", "--run", str(image_run)]) == 1
    assert "editing is judged on data=scenes alone" in capsys.readouterr().err
    assert main(["bench", "editing", "--run", str(drawing_run), "--prompts", "1", "--share", "3"]) == 1
    assert "share=3.0 of the steps must lie between 0 and 1" in capsys.readouterr().err
