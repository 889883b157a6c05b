"""`mmattn bench mixers`: print and save what is measured."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from mmattn.benchmarks import mixers
from mmattn.benchmarks.mixing import CHUNKED
from mmattn.benchmarks.record import about, save_json
from mmattn.benchmarks.scale import growths
from mmattn.benchmarks.show import growth_line
from mmattn.benchmarks.timing import pinned


def of_mixers(arguments: argparse.Namespace) -> None:
    """Each part in turn. Raises MmattnError where two sides do not compute the same, or a library is missing."""
    parts = dict.fromkeys(arguments.part or PARTS)
    with pinned(arguments.threads) as threads:
        known = about(threads)
        found: dict[str, list[dict[str, Any]]] = {}
        for part in parts:
            rows = []
            for line, row in PARTS[part](arguments.turns, threads):
                print(line, flush=True)
                rows.append(row)
                save_json(arguments.json, known, **{**found, part: rows})
            found[part] = rows


Lines = Iterator[tuple[str, dict[str, Any]]]


def _mamba2(turns: int, threads: int) -> Lines:
    for chunk in mixers.CHUNKS:
        found = mixers.mamba2(turns, chunk)
        yield found.line(), asdict(found)


def _mambapy(turns: int, threads: int) -> Lines:
    for state in mixers.STATES:
        row = mixers.mambapy(state, turns)
        sides = f"Mamba-2, states of {state} ÷ mambapy's Mamba, states of {row['other_state']}"
        yield f"{sides}, {row['length']:,} tokens: {_spread(row)}", row


def _linear(turns: int, threads: int) -> Lines:
    for name in ("linear_attention", "mamba2"):
        for length in mixers.LENGTHS:
            row = mixers.against_attention(name, length, turns)
            yield f"{name} ÷ causal attention at {length:,}: {_spread(row)}", row


def _scaling(turns: int, threads: int) -> Lines:
    found = []
    for each in mixers.scaling(CHUNKED, mixers.SCALE, turns, threads):
        found.append(each)
        megabytes = each.peak_bytes / 2**20
        yield f"{each.case} at {each.length:,}: {each.seconds:.3f} s, {megabytes:.0f} MiB", each._asdict()
    for growth in growths(found):
        yield growth_line(growth), growth._asdict()


def _decoding(turns: int, threads: int) -> Lines:
    for name in (*CHUNKED, "lstm", "gru", "window_256"):
        row = mixers.decoding(name, turns)
        yield f"{name}, a token at {mixers.LATE:,} ÷ at {mixers.EARLY}: {_spread(row)}", row


def _recurrent(turns: int, threads: int) -> Lines:
    for kind in ("lstm", "gru"):
        for layout in mixers.LAYOUTS:
            found = mixers.recurrent(kind, layout, turns)
            yield found.line(), asdict(found)


def _spread(row: dict[str, Any]) -> str:
    return f"{row['ratio']:.3f} ({row['ratio_low']:.3f}–{row['ratio_high']:.3f})"


PARTS = {
    "linear": _linear, "scaling": _scaling, "decoding": _decoding, "recurrent": _recurrent, "mamba2": _mamba2,
    "mambapy": _mambapy,
}  # fmt: skip
"""Those that need another library come last."""
