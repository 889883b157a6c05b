"""Tables, plain text and FASTA: every character as it stands, every mistake named."""

from __future__ import annotations

import csv
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmattn.contracts.source import check_source
from mmattn.data.corpus import Corpus
from mmattn.data.fasta import Fasta
from mmattn.data.source import SPLITS
from mmattn.data.text_table import TextTable
from mmattn.errors import BadSample, ConfigError

TEXTS = ['She said "no", twice', "NA", "null", " spaced ", "line\nbreak", "crème, œuf", "None"]


def write_rows(path, rows):
    """Rows (dicts) in the format that the suffix names."""
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="," if path.suffix == ".csv" else "\t")
            writer.writeheader()
            writer.writerows(rows)


# -- tables -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_texts_stay_as_they_are(tmp_path, suffix):
    rows = [{"id": i, "text": text, "label": i % 2} for i, text in enumerate(TEXTS)]
    write_rows(tmp_path / f"train{suffix}", rows)
    source = TextTable(tmp_path, {"train": f"train{suffix}", "validation": None}, quoted=True)
    samples = source.samples("train")
    assert [sample.value for sample in samples] == TEXTS
    assert [sample.label for sample in samples] == [row["label"] for row in rows]
    assert source.classes == ("0", "1") and source.samples("validation") is None and source.samples("test") is None
    assert samples[2].name == f"{tmp_path / f'train{suffix}'}, row 3"
    assert check_source(source) == []


@settings(deadline=None, max_examples=40)
@given(
    texts=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1, max_size=5)
)
def test_any_text_survives_csv_and_jsonl(texts, tmp_path_factory):
    texts = [text if text.strip() else "x" for text in texts]
    folder = tmp_path_factory.mktemp("texts")
    for name in ("train.csv", "train.jsonl"):
        write_rows(folder / name, [{"text": text, "label": "a"} for text in texts])
        assert [sample.value for sample in TextTable(folder, {"train": name}).samples("train")] == texts


def test_quotes_in_tsv_are_text_by_default(tmp_path):
    (tmp_path / "train.tsv").write_text('text\tlabel\n"so to speak\ta\nplain\tb\n')
    assert TextTable(tmp_path, {"train": "train.tsv"}).samples("train")[0].value == '"so to speak'


def test_classes_are_named_in_order(tmp_path):
    write_rows(tmp_path / "train.csv", [{"text": "x", "label": label} for label in ("10", "2", "1")])
    write_rows(tmp_path / "test.csv", [{"text": "y", "label": "2"}])
    files = {"train": "train.csv", "test": "test.csv"}
    assert TextTable(tmp_path, files).classes == ("1", "2", "10"), "numbers are in the order of numbers"
    named = TextTable(tmp_path, files, classes={2: "two", 1: "one", 10: "ten"})
    assert named.classes == ("two", "one", "ten") and named.samples("test")[0].label == 0


def test_texts_with_several_labels(tmp_path):
    rows = [{"text": text, "label": label} for text, label in (("x", "b; a"), ("y", ""), ("z", "c;c;"))]
    write_rows(tmp_path / "train.csv", rows)
    source = TextTable(tmp_path, {"train": "train.csv"}, label_separator=";")
    assert source.classes == ("a", "b", "c")
    assert [sample.label for sample in source.samples("train")] == [[1, 0], [], [2]] and check_source(source) == []
    write_rows(tmp_path / "test.csv", [{"text": "x", "label": "a;d"}])
    with pytest.raises(ConfigError, match=r"test\.csv, row 1: the label 'd' is not among"):
        TextTable(tmp_path, {"train": "train.csv", "test": "test.csv"}, label_separator=";").samples("test")
    with pytest.raises(ConfigError, match=r"data\.label_separator is empty: give what stands between labels"):
        TextTable(tmp_path, {"train": "train.csv"}, label_separator="")


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_lists_are_several_labels(tmp_path, suffix):
    write_rows(tmp_path / f"train{suffix}", [{"text": "x", "label": ["b", "a"]}, {"text": "y", "label": ["b"]}])
    source = TextTable(tmp_path, {"train": f"train{suffix}"})
    assert [sample.label for sample in source.samples("train")] == [[1, 0], [1]] and check_source(source) == []


def test_texts_without_labels(tmp_path):
    write_rows(tmp_path / "train.csv", [{"body": "x"}])
    source = TextTable(tmp_path, {"train": "train.csv"}, text_column="body", label_column=None)
    assert source.classes is None and source.samples("train")[0].label is None and check_source(source) == []


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (
            "txt,label\nx,a\n",
            ConfigError,
            r"train\.csv has no column 'text'; it has 'txt', 'label': .*Did you mean 'txt'\?",
        ),
        (
            "text,lable\nx,a\n",
            ConfigError,
            r"no column 'label'.*set data\.text_column or data\.label_column.*'lable'\?",
        ),
        ("text,text,label\nx,y,a\n", ConfigError, r"several columns 'text': rename"),
        ("text,label\n", ConfigError, r"train\.csv has no rows: fill it"),
        ("", ConfigError, r"train\.csv has no rows"),
        ("text,label\nx,a\n  ,b\n", BadSample, r"train\.csv, row 2: column 'text' is empty; remove the row"),
        ("text,label\nx,a\ny,\n", BadSample, r"train\.csv, row 2: column 'label' is empty"),
        ("text,label\nx,a\ny\n", BadSample, r"train\.csv, row 2: has 1 fields, and the header 2; are its quotes right"),
        ("text,label\nx, y,a\n", BadSample, r"train\.csv, row 1: has 3 fields"),
        ('text,label\n"x,a\n', BadSample, r"train\.csv, row 1: is not readable .*quotes"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(tmp_path, content, error, message):
    (tmp_path / "train.csv").write_text(content)
    with pytest.raises(error, match=message):
        TextTable(tmp_path, {"train": "train.csv"}).samples("train")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train.jsonl", '{"text": "x", "label": 1}\n{"text"\n', r"train\.jsonl, row 2: is not JSON"),
        ("train.jsonl", "[1]\n", r"train\.jsonl, row 1: is not a JSON object"),
        ("train.jsonl", '{"text": 3, "label": 1}\n', r"row 1: column 'text' holds 3, which is no text"),
        ("train.jsonl", '{"text": "x", "label": null}\n', r"row 1: column 'label' is empty"),
        ("train.parquet", "no parquet", r"train\.parquet: is not a readable parquet file"),
    ],
)
def test_a_bad_row_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(BadSample, match=message):
        TextTable(tmp_path, {"train": name}).samples("train")


def test_a_table_that_is_not_utf8_is_named(tmp_path):
    (tmp_path / "train.csv").write_bytes("text,label\ncrème,a\n".encode("latin-1"))
    with pytest.raises(BadSample, match=r"train\.csv: is not a readable UTF-8 text file"):
        TextTable(tmp_path, {"train": "train.csv"}).samples("train")


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_a_missing_column_is_named_in_other_formats(tmp_path, suffix):
    write_rows(tmp_path / f"train{suffix}", [{"texts": "x", "label": 0}])
    with pytest.raises(ConfigError, match=r"no column 'text'; it has 'texts', 'label'.*Did you mean 'texts'\?"):
        TextTable(tmp_path, {"train": f"train{suffix}"}).samples("train")


def test_a_label_that_training_lacks_is_named(tmp_path):
    write_rows(tmp_path / "train.csv", [{"text": "x", "label": "spam"}, {"text": "y", "label": "ham"}])
    write_rows(tmp_path / "test.csv", [{"text": "x", "label": "spm"}])
    with pytest.raises(ConfigError, match=r"test\.csv, row 1: the label 'spm' .*'ham', 'spam'.*Did you mean 'spam'\?"):
        TextTable(tmp_path, {"train": "train.csv", "test": "test.csv"}).samples("test")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train": "trian.csv"}, r"data\.files\.train names .*trian\.csv.*no such file.*Did you mean 'train\.csv'\?"),
        ({"train": "train.csv", "valid": "train.csv"}, r"data\.files\.valid is no split .*'validation'\?"),
        ({"train": None, "test": "train.csv"}, r"data\.files\.train is missing: name what to train on"),
        ({"train": "train.xls"}, r"train\.xls is none of \.csv, .*: convert it"),
    ],
)
def test_files_that_cannot_be_used_are_named(tmp_path, files, message):
    for name in ("train.csv", "train.xls"):
        (tmp_path / name).write_text("text,label\nx,a\n")
    with pytest.raises(ConfigError, match=message):
        TextTable(tmp_path, files).samples("train")


# -- plain text -------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(
    texts=st.lists(st.text("abc \n", min_size=3).filter(str.strip), min_size=1, max_size=4),
    fractions=st.tuples(st.floats(0, 0.5), st.floats(0, 0.4)),
)
def test_a_corpus_is_cut_and_nothing_is_lost(texts, fractions, tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    for number, text in enumerate(texts):
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    source = Corpus(folder, validation_fraction=fractions[0], test_fraction=fractions[1])
    parts = ["".join(sample.value for sample in source.samples(split) or []) for split in SPLITS]
    total = len("".join(texts))
    assert "".join(parts) == "".join(texts)
    assert abs(len(parts[1]) - fractions[0] * total) <= 1 and abs(len(parts[2]) - fractions[1] * total) <= 1


def test_a_corpus_of_one_file(tmp_path):
    (tmp_path / "book.txt").write_text("0123456789" * 10)
    source = Corpus(tmp_path / "book.txt")
    assert [len(source.samples(split)[0].value) for split in ("train", "validation")] == [90, 10]
    assert source.samples("test") is None and source.classes is None and check_source(source) == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"pattern": "*.md"}, ConfigError, r"no file that matches data\.pattern='\*\.md': correct either"),
        (
            {"validation_fraction": 0.6, "test_fraction": 0.4},
            ConfigError,
            r"validation_fraction=0\.6.*nothing to train on",
        ),
        ({"test_fraction": -0.1}, ConfigError, r"data\.test_fraction=-0\.1"),
        ({"pattern": "empty"}, BadSample, r"empty: is empty; remove it"),
        ({"pattern": "latin"}, BadSample, r"latin: is not a readable UTF-8 text file"),
    ],
)
def test_a_corpus_that_cannot_be_used_is_named(tmp_path, arguments, error, message):
    (tmp_path / "a.txt").write_text("some text")
    (tmp_path / "empty").write_text("")
    (tmp_path / "latin").write_bytes(b"cr\xe8me")
    with pytest.raises(error, match=message):
        Corpus(tmp_path, **arguments).samples("train")


def test_a_missing_corpus_is_named(tmp_path):
    (tmp_path / "input.txt").write_text("x")
    with pytest.raises(ConfigError, match=r"inputs\.txt: there is no such folder .*Did you mean 'input\.txt'\?"):
        Corpus(tmp_path / "inputs.txt")


# -- FASTA ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def proteins(tmp_path):
    (tmp_path / "a.fa").write_text(">one class=x\nMKV\nLLA\n>two class=y\nGGG\n")
    (tmp_path / "b.fa").write_text(">one class=y\nACDE\n")
    return tmp_path


def test_proteins_by_class_of_file(proteins):
    files = {"train": {"toxin": "b.fa", "other": "a.fa"}, "test": {"other": "a.fa"}}
    source = Fasta(proteins, {"train": files["train"]})
    assert source.classes == ("toxin", "other") and source.samples("test") is None
    assert [(sample.value, sample.label) for sample in source.samples("train")] == [
        ("ACDE", 0),
        ("MKVLLA", 1),
        ("GGG", 1),
    ]
    assert check_source(source) == []
    assert [sample.label for sample in Fasta(proteins, files).samples("test")] == [1, 1]


def test_proteins_by_header(proteins):
    source = Fasta(proteins, {"train": "a.fa", "test": "b.fa"}, label=r"class=(?P<label>\w+)")
    assert source.classes == ("x", "y") and [sample.label for sample in source.samples("test")] == [1]
    assert check_source(source) == []


def test_proteins_without_labels(proteins):
    source = Fasta(proteins, {"train": "a.fa", "validation": "b.fa"})
    assert source.classes is None and len(source.samples("train")) == 2 and check_source(source) == []


@pytest.mark.parametrize(
    ("files", "label", "error", "message"),
    [
        ({"train": "c.fa"}, None, ConfigError, r"data\.files\.train names .*c\.fa, and there is no such file"),
        ({"test": "a.fa"}, None, ConfigError, r"data\.files\.train is missing"),
        (
            {"train": {"toxin": "a.fa"}, "test": {"toxins": "b.fa"}},
            None,
            ConfigError,
            r"'toxins'.*Did you mean 'toxin'\?",
        ),
        ({"train": {"toxin": "a.fa"}, "test": "b.fa"}, None, ConfigError, r"data\.files\.test must name classes"),
        ({"train": {"toxin": "a.fa"}}, r"(?P<label>x)", ConfigError, r"both give labels: leave one of them out"),
        ({"train": "a.fa"}, r"class=\w", ConfigError, r"has no group \(\?P<label>"),
        (
            {"train": "a.fa"},
            r"kind=(?P<label>\w)",
            ConfigError,
            r"record 1 'one class=x' does not match .*correct the pattern",
        ),
        (
            {"train": "b.fa", "test": "a.fa"},
            r"class=(?P<label>\w)",
            ConfigError,
            r"record 1 .*the label 'x' is not among",
        ),
        ({"train": "bad.fa"}, None, BadSample, r"bad\.fa, line 1: text before the first '>' header"),
    ],
)
def test_proteins_that_cannot_be_used_are_named(proteins, files, label, error, message):
    (proteins / "bad.fa").write_text("MKV\n")
    with pytest.raises(error, match=message):
        source = Fasta(proteins, files, label)
        for split in files:
            source.samples(split)
