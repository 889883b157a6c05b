"""Rows of tables: every value as the file has it, whatever stands between quotes."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmattn.data.table_rows import read_rows
from mmattn.errors import ConfigError

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=8)


def rows_of(path, content, *columns, **arguments):
    path.write_bytes(content.encode())
    return [tuple(row.values[name] for name in columns) for row in read_rows(path, columns, **arguments)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4))
def test_what_was_written_is_read(tmp_path_factory, rows):
    written = io.StringIO(newline="")
    csv.writer(written).writerows([("text", "label"), *rows])
    assert rows_of(tmp_path_factory.mktemp("table") / "a.csv", written.getvalue(), "text", "label") == rows


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("text,label\nNA,null\n  ,0\n", [("NA", "null"), ("  ", "0")]),
        ('text,label\n"a, ""b""\nc",1\n', [('a, "b"\nc', "1")]),
        ("\ufefftext,label\nx,1\n", [("x", "1")]),
        ("text,label\r\nx,1\r\n\r\ny,2", [("x", "1"), ("y", "2")]),
        ("label,more,text\n1,?,x\n", [("x", "1")]),
        (f"text,label\n{'x' * 200_000},1\n", [("x" * 200_000, "1")]),
    ],
)
def test_csv(tmp_path, content, rows):
    assert rows_of(tmp_path / "a.csv", content, "text", "label") == rows


def test_quotes_are_letters_where_they_are_not_said_to_quote(tmp_path):
    content = 'text\tlabel\n"x\t1\ny"\t2\n'
    assert rows_of(tmp_path / "a.tsv", content, "text", "label") == [('"x', "1"), ('y"', "2")]
    assert rows_of(tmp_path / "a.tsv", content, "text", "label", quoted=True) == [("x\t1\ny", "2")]
    plain = 'text,label\n"x,1\n'
    assert rows_of(tmp_path / "a.csv", plain, "text", "label", quoted=False) == [('"x', "1")]


def test_jsonl_lines_end_at_new_lines_alone(tmp_path):
    content = '{"text": "a\u2028b\x85c", "label": 1}\n\n  \n{"label": null, "text": "d", "more": [1]}'
    assert rows_of(tmp_path / "a.jsonl", content, "text", "label") == [("a\u2028b\x85c", 1), ("d", None)]


def test_rows_are_named_by_file_and_number(tmp_path):
    (tmp_path / "a.CSV").write_text("text\n\nx\n\ny\n")
    names = [row.name for row in read_rows(tmp_path / "a.CSV", ["text"])]
    assert names == [f"{tmp_path / 'a.CSV'}, row 1", f"{tmp_path / 'a.CSV'}, row 2"]


def test_a_later_object_without_a_column_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"a.jsonl, row 2 has no column 'text'; it has 'txt': .*Did you mean 'txt'\?"):
        rows_of(tmp_path / "a.jsonl", '{"text": "x"}\n{"txt": "y"}\n', "text")
