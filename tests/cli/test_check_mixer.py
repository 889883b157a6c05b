"""`mmattn check mixer=x` on ours and on a user's."""

from __future__ import annotations

import pytest

from mmattn.cli.main import main

MIXER = """
from mmattn.mixers import Mixer

class {name}(Mixer):
    '''Adds up all tokens of a row up to each.'''
    def __init__(self, dim):
        super().__init__()
    def forward(self, x, context):
        return {seen}.cumsum(1)
    def step(self, x, context, state):
        out = x.cumsum(1) + (0 if state is None else state)
        return out, out[:, -1:]
"""


def own(folder, name, seen):
    (folder / "conf/mixer").mkdir(parents=True)
    (folder / f"{name.lower()}.py").write_text(MIXER.format(name=name, seen=seen))
    (folder / f"conf/mixer/{name.lower()}.yaml").write_text(f"_target_: {name.lower()}.{name}\n_partial_: true\n")
    return ["--config-dir", str(folder / "conf")]


@pytest.mark.parametrize(
    ("name", "step"), [("retention", "steps equal one pass"), ("grid_convolution", "no step, as it looks ahead")]
)
def test_ours_hold(name, step, capsys):
    assert main(["check", f"mixer={name}", "backbone.dim=16"]) == 0
    said = capsys.readouterr().out
    assert "holds: mixer, padding inside a document" in said and f"holds: mixer, {step}" in said


def test_what_one_of_yours_breaks_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["check", "mixer=summing", "backbone.dim=16", *own(tmp_path, "Summing", "x")]) == 1
    said = capsys.readouterr().err
    assert said.startswith("mmattn: mixer=summing.Summing breaks the contract:\n  padding on the left: padding has ")
    assert "several documents in a row: document 1 becomes something else than it does alone." in said
