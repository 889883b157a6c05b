"""The notebook runs from top to bottom, learns, and is committed without outputs."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from tests.docs.pages import ROOT

NOTEBOOK = ROOT / "docs" / "train-on-your-arrays.ipynb"


def test_it_is_committed_without_outputs():
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        assert not cell.get("outputs") and cell.get("execution_count") is None


@pytest.mark.slow
def test_it_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(cwd=str(tmp_path))
    shown = [
        output.get("data", {}).get("text/plain", "") for cell in notebook.cells for output in cell.get("outputs", ())
    ]
    accuracies = [eval(text)["test/accuracy"] for text in shown if "test/accuracy" in text]
    assert len(accuracies) == 2 and min(accuracies) > 0.85
