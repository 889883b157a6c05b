"""The README and the guides, as the tests read them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
GUIDE = ROOT / "docs" / "add-a-modality.md"
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language, in order; "" are those that name none."""
    found = FENCE.finditer(page.read_text(encoding="utf-8"))
    return [match["text"] for match in found if match["language"] == language]


def commands(page: Path) -> list[str]:
    """Calls of mmattn: lines of the blocks that name no language, and code within a line; comments are cut off."""
    lines = [line.strip() for block in blocks(page, "") for line in block.splitlines()]
    lines += re.findall(
        r"`(mmattn\s(?:train|check|evaluate|predict|generate|look|kernels|bench|compare)\s[^`]+)`",
        page.read_text(encoding="utf-8"),
    )
    lines = [" ".join(line.split()) for line in lines]  # one within a paragraph may be wrapped
    return [line.split(" # ")[0] for line in lines if line.startswith("mmattn ")]


def files(page: Path) -> dict[str, str]:
    """Blocks that stand right after a line with nothing but a file's name in backquotes, by that name."""
    named = re.compile(r"^`(?P<name>[\w/.]+)`\n\n```\w+\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
    return {match["name"]: match["text"] for match in named.finditer(page.read_text(encoding="utf-8"))}


def write_files(page: Path, folder: Path) -> None:
    """The page's files, as a reader would save them in a folder."""
    for name, text in files(page).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
