"""Rows of csv, tsv, jsonl and parquet files, every value as the file has it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mmattn.data.readers import read_text
from mmattn.errors import BadSample, ConfigError, nearest

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")


@dataclass(frozen=True)
class Row:
    """name: file and row, the first row of data being 1; values: by column, `str` from csv and tsv."""

    name: str
    values: dict[str, Any]


def read_rows(path: Path, columns: Sequence[str], quoted: bool | None = None) -> list[Row]:
    """The rows of a file, of which the named columns must be there.

    `quoted`: whether double quotes enclose csv and tsv fields; None means in `.csv`, not in `.tsv`.

    Raises `ConfigError` for another suffix, a missing or repeated column or a file without rows, `BadSample` for a row
    that is not one.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        rows = _parquet(path, columns)
    elif suffix == ".jsonl":
        rows = _jsonl(path, columns)
    elif suffix in (".csv", ".tsv"):
        is_csv = suffix == ".csv"
        rows = _delimited(path, columns, "," if is_csv else "\t", is_csv if quoted is None else quoted)
    else:
        raise ConfigError(f"{path} is none of {', '.join(SUFFIXES)}: convert it to one of them.")
    if not rows:
        raise ConfigError(f"{path} has no rows: fill it, or name another file in data.files.")
    return rows


def _delimited(path: Path, columns: Sequence[str], delimiter: str, quoted: bool) -> list[Row]:
    csv.field_size_limit(2**31 - 1)  # the default refuses texts of more than 131,072 characters
    content = io.StringIO(_with_line_ends(path), newline="")
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
    lines = csv.reader(content, delimiter=delimiter, quoting=quoting, strict=True)
    rows: list[Row] = []
    header: list[str] | None = None
    try:
        for fields in lines:
            if header is None:
                header = fields
                _check_columns(path, columns, header)
            elif fields:  # a blank line is no row
                name = f"{path}, row {len(rows) + 1}"
                if len(fields) != len(header):
                    fault = f"has {len(fields)} fields, and the header {len(header)}; are its quotes right?"
                    raise BadSample(name, fault)
                rows.append(Row(name, dict(zip(header, fields, strict=True))))
    except csv.Error as error:
        raise BadSample(f"{path}, row {len(rows) + 1}", f"is not readable ({error}); are its quotes right?") from error
    return rows


def _with_line_ends(path: Path) -> str:
    """The text without a byte order mark, line ends inside quotes untouched."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadSample(str(path), f"is not a readable UTF-8 text file ({error})") from error


def _jsonl(path: Path, columns: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    for line in read_text(path).split("\n"):  # not splitlines: texts may hold other line separators
        if not line.strip():
            continue
        name = f"{path}, row {len(rows) + 1}"
        try:
            values = json.loads(line)
        except json.JSONDecodeError as error:
            raise BadSample(name, f"is not JSON ({error})") from error
        if not isinstance(values, dict):
            raise BadSample(name, "is not a JSON object")
        _check_columns(Path(name), columns, list(values))
        rows.append(Row(name, values))
    return rows


def _parquet(path: Path, columns: Sequence[str]) -> list[Row]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ConfigError(f"Reading {path} needs the package pyarrow: pip install pyarrow.") from error
    try:
        _check_columns(path, columns, pyarrow.parquet.read_schema(path).names)
        table = pyarrow.parquet.read_table(path, columns=list(columns))
    except (pyarrow.ArrowException, OSError) as error:
        raise BadSample(str(path), f"is not a readable parquet file ({error})") from error
    return [Row(f"{path}, row {number}", values) for number, values in enumerate(table.to_pylist(), start=1)]


def _check_columns(path: Path, columns: Sequence[str], available: Sequence[str]) -> None:
    for column in columns:
        if column not in available:
            raise ConfigError(
                f"{path} has no column '{column}'; it has {', '.join(map(repr, available))}: set "
                "data.text_column or data.label_column (for captions data.text_column or data.file_column)."
                f"{nearest(column, available)}"
            )
        if list(available).count(column) > 1:
            raise ConfigError(f"{path} has several columns '{column}': rename all but one.")
