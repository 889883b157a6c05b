"""`mmattn bench retrieval` on runs: what is written, and which runs are refused."""

from __future__ import annotations

import json

from mmattn.cli.main import main


def test_runs_are_measured_and_others_refused(drawing_run, image_run, tmp_path, capsys):
    towers, file = tmp_path / "towers", tmp_path / "found.json"
    words = ["backbone.dim=16", "data.train=64", "data.validation=8", "data.test=8", "trainer.max_epochs=1"]
    assert main(["train", "contrastive", *words, f"run.dir={towers}"]) == 0
    told = ["--split", "test", "--pictures", "3", "--steps", "1", "--json", str(file)]
    assert main(["bench", "retrieval", "--run", str(drawing_run), "--by", str(towers), *told]) == 0
    (found,) = json.loads(file.read_text())["retrieval"]
    assert found["pictures"] == 3 and found["texts"] <= 8 and set(found["made"]) == {"recall@1", "recall@5"}
    capsys.readouterr()
    for run, by, said in (
        (image_run, towers, "draws nothing by steps from noise: give a run of text_to_image."),
        (drawing_run, image_run, "has no two towers: give a run of contrastive."),
    ):
        assert main(["bench", "retrieval", "--run", str(run), "--by", str(by)]) == 1
        assert said in capsys.readouterr().err
