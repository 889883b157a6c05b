"""Imports run one way, `tokenizers` stays Hugging Face's, and no module is loaded under two names."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import tokenizers

import mmattn

ROOT = Path(mmattn.__file__).parent
LINKED = {"tasks", "tokenizers", "benchmarks"}
BANNED = {
    "tasks": ["mmattn.tokenizers", "mmattn.cli", "mmattn.build"],
    "tokenizers": ["mmattn.tasks", "mmattn.cli", "mmattn.build", "mmattn.backbone"],
    "core": ["mmattn.tasks", "mmattn.tokenizers"],
}
MAY_IMPORT = {  # of the core's other parts; anything may import errors and limits
    "errors": [],
    "limits": [],
    "sequence": [],
    "patterns": ["sequence"],
    "positions": ["sequence"],
    "biases": ["patterns", "sequence"],
    "kernels": ["biases", "patterns", "sequence"],
    "memory": ["sequence"],
    "context": ["memory", "patterns", "positions", "sequence"],
    "residual": ["mixers"],
    "adaptive": ["context", "mixers", "residual"],
    "key_value_encoder": ["backbone", "memory", "sequence"],
    "latents": ["backbone", "memory", "sequence"],
    "mixers": ["biases", "kernels", "context", "memory", "patterns", "positions", "scans", "sequence"],
    "scans": ["sequence"],
    "mlp": [],
    "prefix": ["sequence"],
    "backbone": ["memory", "mixers", "residual", "context", "mlp", "positions", "sequence"],
    "lens": [
        "backbone",
        "biases",
        "context",
        "kernels",
        "mixers",
        "patterns",
        "report",
        "sequence",
        "tokenizer",
    ],
    "data": ["sequence", "tokenizer"],
    "composition": ["build"],
    "compare": ["build", "composition", "data", "report", "tokenizer"],
    "tokenizer": ["data", "prefix", "sequence"],
}


def imported(path: Path) -> list[str]:
    """Names of modules that a file imports, at its top or inside functions; relative ones are spelled out."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = list(("mmattn", *path.relative_to(ROOT).parts))[: -node.level] if node.level else []
            module = ".".join([*package, *filter(None, [node.module])])
            names += [f"{module}.{alias.name}" for alias in node.names]
    return names


def files(part: str) -> list[Path]:
    return [*ROOT.glob(f"{part}.py"), *ROOT.glob(f"{part}/**/*.py")]


def test_the_core_knows_no_tokenizer_and_no_task():
    core = [path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] not in LINKED]
    groups = {"core": core, "tasks": files("tasks"), "tokenizers": files("tokenizers")}
    assert all(groups.values())
    for group, paths in groups.items():
        for path in paths:
            for name in imported(path):
                assert not any(f"{name}.".startswith(f"{each}.") for each in BANNED[group]), f"{path} imports {name}"


def test_nothing_but_the_command_line_and_the_experiments_knows_the_benchmarks():
    users = ("benchmarks", "cli", "why")
    others = [path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] not in users]
    for path in [*others, *files("tasks"), *files("tokenizers")]:
        for name in imported(path):
            assert not f"{name}.".startswith("mmattn.benchmarks."), f"{path} imports {name}"
    assert all("mmattn.cli" not in name for path in files("benchmarks") for name in imported(path))


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_a_part_imports_lower_parts_only(part):
    assert files(part)
    allowed = {part, "errors", "limits", *MAY_IMPORT[part]}
    for path in files(part):
        for name in imported(path):
            root, *rest = name.split(".")
            assert root != "mmattn" or (rest and rest[0] in allowed), f"{path} imports {name}"


FROM_A_CHECKOUT = """
import sys, tokenizers, mmattn.tokenizers.bpe
for name, module in list(sys.modules.items()):
    print(name, getattr(module, "__file__", None), sep="\\t")
"""


def ours(modules: dict[str, str]) -> dict[str, Path]:
    """The checkout's own modules, with the files that links lead to."""
    paths = {name: Path(file).resolve() for name, file in modules.items() if Path(file).is_relative_to(ROOT.parent)}
    return {
        name: path for name, path in paths.items()
        if "site-packages" not in path.parts and path.relative_to(ROOT.parent).parts[0] not in ("tests", ".venv")
    }  # fmt: skip


def test_tokenizers_is_hugging_faces():
    assert hasattr(tokenizers, "Tokenizer")  # here the root of the checkout is on the path
    run = subprocess.run([sys.executable, "-c", FROM_A_CHECKOUT], cwd=ROOT.parent, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    loaded = dict(line.split("\t") for line in run.stdout.splitlines())
    assert "mmattn.tokenizers.bpe" in ours(loaded) and "tokenizers.models" in loaded
    assert not any(name.startswith("tokenizers") for name in ours(loaded))


def test_no_module_has_two_names():
    assert mmattn.TokenSequence  # public names are imported when they are asked for
    files = {name: str(getattr(module, "__file__", None)) for name, module in list(sys.modules.items())}
    loaded = ours(files)
    assert "mmattn.sequence" in loaded
    assert {name: path for name, path in loaded.items() if name.split(".")[0] != "mmattn"} == {}
    assert [path for path, count in Counter(loaded.values()).items() if count > 1] == []
