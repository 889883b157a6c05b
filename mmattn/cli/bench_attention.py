"""`mmattn bench attention`: measure attention beside other libraries, or against the length."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mmattn.errors import ConfigError, MmattnError, nearest

LENGTHS = (4096, 16384)


def attention(arguments: argparse.Namespace) -> None:
    """Measure, show and save. Raises ConfigError for what is not known, MmattnError at the end where a row is wrong."""
    from mmattn.benchmarks import roofline
    from mmattn.benchmarks.record import facts
    from mmattn.benchmarks.show import about
    from mmattn.benchmarks.timing import pinned

    asked: list[Any] = _scaled(arguments) if arguments.scale else _pairs(arguments)
    with pinned(arguments.threads) as threads:
        found = roofline.measure()
        print(about(found, threads), flush=True)
        (_scale if arguments.scale else _table)(asked, arguments, facts(threads, found))


def _table(asked: list[tuple[str, str]], arguments: argparse.Namespace, known: dict[str, Any]) -> None:
    from mmattn.benchmarks import show
    from mmattn.benchmarks.attention import measured
    from mmattn.benchmarks.plot import rows_page
    from mmattn.benchmarks.record import save, save_json

    rows = []
    for length in arguments.length or LENGTHS:
        for case, against in asked:
            peak = known["roofline"]["matmul_flops"]
            rows.append(measured(case, against, length, arguments.turns, known["threads"], peak))
            print(show.line(rows[-1]), flush=True)
            save_json(arguments.json, known, rows=[asdict(row) for row in rows])  # so far: the rest may take an hour
    show.console().print(show.rows_table(rows))
    page = Path(arguments.out) / "attention.html"
    save(page, rows_page(rows, known))
    print(f"pictures: {page}")
    missed = [row for row in rows if row.wrong or (row.note and row.against in arguments.against)]
    if missed:
        raise MmattnError("\n  ".join(["not all could be measured:", *map(show.line, missed)]))


def _scale(cases: list[str], arguments: argparse.Namespace, known: dict[str, Any]) -> None:
    from mmattn.benchmarks import show
    from mmattn.benchmarks.plot import scale_page
    from mmattn.benchmarks.record import save, save_json
    from mmattn.benchmarks.scale import LENGTHS, growths, points

    found = []
    for point in points(cases, arguments.length or LENGTHS, arguments.turns, known["threads"]):
        found.append(point)
        print(f"{point.case} at {point.length:,}: {point.seconds:.3f} s", flush=True)
    grown = growths(found)
    show.console().print(show.scale_table(found))
    for each in grown:
        print(show.growth_line(each))
    save_json(arguments.json, known, scale=[p._asdict() for p in found], growth=[g._asdict() for g in grown])
    page = Path(arguments.out) / "scale.html"
    save(page, scale_page(found, grown, known))
    print(f"pictures: {page}")


def _pairs(arguments: argparse.Namespace) -> list[tuple[str, str]]:
    """Cases and the others that they are measured against. Raises ConfigError where nothing is left."""
    from mmattn.benchmarks.cases import CASES, selected
    from mmattn.benchmarks.peers import OURS, PEERS

    others = [name for name in PEERS if name != OURS]
    for name in arguments.against:
        if name not in others:
            known = f"{nearest(name, others)} Known: {', '.join(others)}."
            raise ConfigError(f"Nothing is measured against '{name}'.{known}")
    wanted = arguments.against or others
    names = selected(arguments.case, arguments.pattern)
    pairs = [(case, against) for case in names for against in CASES[case].against if against in wanted]
    if not pairs:
        raise ConfigError(f"{', '.join(names)}: not measured against {', '.join(wanted)}.")
    return pairs


def _scaled(arguments: argparse.Namespace) -> list[str]:
    """Cases that are measured by length."""
    from mmattn.benchmarks.cases import selected
    from mmattn.benchmarks.scale import SCALED

    if arguments.against:
        raise ConfigError("--scale measures ours alone: leave out --against.")
    return selected(arguments.case or ([] if arguments.pattern else SCALED), arguments.pattern)
