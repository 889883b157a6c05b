"""Imports run one way, and `tokenizers` stays Hugging Face's."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import mmattn

ROOT = Path(mmattn.__file__).parent
LAYERS = ["sequence", "patterns", "positions", "context", "kernels", "mixers", "backbone"]
RULES = {
    "tasks": ["mmattn.tokenizers", "mmattn.cli", "mmattn.build"],
    "tokenizers": ["mmattn.tasks", "mmattn.cli", "mmattn.build", "mmattn.backbone"],
    "core": ["mmattn.tasks", "mmattn.tokenizers"],
}


def imported(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return names + [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]


def test_imports_run_one_way():
    files = [(folder, path) for folder in ("tasks", "tokenizers") for path in (ROOT / folder).glob("*.py")]
    linked = {"tasks", "tokenizers"}
    files += [("core", path) for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] not in linked]
    assert len(files) > 60
    for folder, path in files:
        for name in imported(path):
            assert not any(name.startswith(banned) for banned in RULES[folder]), f"{path} imports {name}"


def test_a_lower_layer_imports_no_higher_one():
    for height, layer in enumerate(LAYERS):
        paths = [*ROOT.glob(f"{layer}.py"), *ROOT.glob(f"{layer}/*.py")]
        assert paths
        for path in paths:
            for name in imported(path):
                for higher in LAYERS[height + 1 :]:
                    assert not name.startswith(f"mmattn.{higher}"), f"{path} imports {name}"


def test_tokenizers_is_hugging_faces():
    code = "import tokenizers, mmattn.tokenizers.bpe; print(tokenizers.Tokenizer)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True, check=True)
    assert "Tokenizer" in done.stdout
