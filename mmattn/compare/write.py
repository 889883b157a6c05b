"""The files of a finished comparison: results, pictures and one page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from mmattn.compare.findings import Findings, Table
from mmattn.errors import RunError
from mmattn.report.page import code, folded, page, section, table


def write(folder: Path, name: str, findings: Findings, about: Mapping[str, Any]) -> None:
    """`NAME.svg` for each picture, `report.html`, and at last `results.json`.

    about: `claim`, `command`, `config`, and `machine`, `versions`, `commit`, `threads`. Raises `RunError` where a file
    cannot be written.
    """
    try:
        for title, drawing in _drawn(findings).items():
            (folder / f"{title}.svg").write_text(drawing + "\n", encoding="utf-8")
        (folder / "report.html").write_text(_page(name, findings, about), encoding="utf-8")
        results = {
            "claims": [claim._asdict() for claim in findings.claims],
            "tables": {title: each._asdict() for title, each in findings.tables.items()},
            "notes": list(findings.notes),
            **about,
        }
        (folder / "results.json").write_text(json.dumps(results, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise RunError(f"{folder} cannot be written ({error}).") from error


def _drawn(findings: Findings) -> dict[str, str]:
    """Pictures that show something."""
    return {title: drawing for title, drawing in findings.pictures.items() if drawing}


def _page(name: str, findings: Findings, about: Mapping[str, Any]) -> str:
    pictures = _drawn(findings)
    head = f'<h1>{escape(name)}</h1><p class="claim">{escape(about["claim"])}</p>'
    verdicts = Table(
        ("", "claim", "measured", "expected"),
        [("✓" if each.holds else "✗", each.claim, each.measured, each.expected) for each in findings.claims],
    )
    machine = about["machine"] | about["versions"] | {key: about[key] for key in ("commit", "threads")}
    notes = "".join(f"<p>{escape(note)}</p>" for note in findings.notes)
    return page(
        f"{name}: mmattn",
        [
            head + _rows(verdicts),
            *(f'<section><figure class="plot">{drawing}</figure></section>' for drawing in pictures.values()),
            *(section(title, _rows(each)) for title, each in findings.tables.items()),
            section("Notes", notes),
            section("Do it again", code(about["command"])),
            folded("Config", code(about["config"])),
            folded("Machine", table(machine)),
        ],
    )


def _rows(shown: Table) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in shown.columns)
    rows = ("".join(f"<td>{_cell(cell)}</td>" for cell in row) for row in shown.rows)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _cell(text: str) -> str:
    """Bold what stands between stars."""
    bold = len(text) > 2 and text.startswith("*") and text.endswith("*")
    return f"<b>{escape(text[1:-1])}</b>" if bold else escape(text)
