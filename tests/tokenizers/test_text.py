from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import tokenizers
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmattn.data.source import Sample
from mmattn.errors import BadSample, ConfigError
from mmattn.tokenizers.bpe import BPETokenizer
from mmattn.tokenizers.characters import CharacterTokenizer
from mmattn.tokenizers.text import ByteTokenizer
from mmattn.tokenizers.words import WordTokenizer
from tests.tokenizers.examples import TEXTS

SAMPLES = [Sample(f"text {i}", text) for i, text in enumerate(TEXTS)]
BYTES = ByteTokenizer(8, bos=True, eos=True)
UNICODE = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@pytest.fixture(scope="module")
def bpe() -> BPETokenizer:
    tokenizer = BPETokenizer(8, vocabulary_size=300)
    tokenizer.fit(SAMPLES)
    return tokenizer


@given(UNICODE)
def test_bytes_restore_any_text(text: str) -> None:
    ids = BYTES.prepare(Sample("x", text))["ids"]
    assert ids[1:-1].tolist() == list(text.encode())
    assert (int(ids[0]), int(ids[-1])) == (BYTES.bos_id, BYTES.eos_id)
    assert BYTES.restore(ids) == text


@given(st.lists(UNICODE, min_size=1, max_size=4), st.sampled_from(["left", "right"]))
@settings(max_examples=30)
def test_batch_mates_change_nothing(texts: list[str], side: str) -> None:
    prepared = [BYTES.prepare(Sample("x", text)) for text in texts]
    together = BYTES(BYTES.collate(prepared, side))
    for row, each in enumerate(prepared):
        alone = BYTES(BYTES.collate([each]))
        real = together.info.real[row]
        assert torch.equal(together.embeddings[row][real], alone.embeddings[0])
        assert torch.equal(together.ids[row][real], alone.ids[0])
        assert not together.embeddings[row][~real].any()


def test_token_dropout_hides_whole_tokens_in_training_only() -> None:
    torch.manual_seed(0)
    tokenizer = ByteTokenizer(16, token_dropout=0.5)
    batch = tokenizer.collate([tokenizer.prepare(Sample("a", "x" * 1000))])
    hidden = (tokenizer.train()(batch).embeddings == 0).all(-1)
    assert 0.4 < hidden.float().mean() < 0.6
    assert not (tokenizer.eval()(batch).embeddings == 0).any()


def test_bytes_are_named() -> None:
    prepared = ByteTokenizer(8).prepare(Sample("x", "a \né"))
    assert [BYTES.describe(prepared, i) for i in range(5)] == ["a", "␣", r"\n", r"\xc3", r"\xa9"]
    assert BYTES.restore(prepared["ids"][:-1]) == "a \n\ufffd"
    assert len(set(BYTES.names())) == 259


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("", "poem 3: is empty: a sample needs at least one token"),
        (7, "poem 3: is a int, and this tokenizer reads text"),
        ("ab\ud800", "poem 3: is not valid Unicode text at position 3"),
    ],
)
def test_bad_text(value: object, fault: str) -> None:
    with pytest.raises(BadSample, match=fault):
        BYTES.prepare(Sample("poem 3", value))


def test_unknown_character_is_named() -> None:
    tokenizer = CharacterTokenizer(8)
    tokenizer.fit([Sample("x", "abc")])
    assert tokenizer.vocabulary == ("<bos>", "<eos>", "<mask>", "a", "b", "c")
    with pytest.raises(
        BadSample, match=r"poem 3: character 'ä' \(U\+00E4\) at position 2 is not among the 3 characters"
    ):
        tokenizer.prepare(Sample("poem 3", "aä"))


def test_unknown_character_is_kept_on_demand_and_counted() -> None:
    tokenizer = CharacterTokenizer(8, unknown="keep")
    tokenizer.fit([Sample("x", "abc")])
    prepared = tokenizer.prepare(Sample("x", "aäbö"))
    assert tokenizer.unknown_count(prepared) == 2
    assert tokenizer.restore(prepared["ids"]) == "a\ufffdb\ufffd"
    assert [tokenizer.describe(prepared, i) for i in range(2)] == ["a", "<unk>"]
    with pytest.raises(ConfigError, match="unknown=drop is not one of: error, keep"):
        CharacterTokenizer(8, unknown="drop")  # type: ignore[arg-type]


def test_rare_and_new_words_are_read_as_unknown_and_counted() -> None:
    tokenizer = WordTokenizer(8, least=2)
    tokenizer.fit([Sample("a", "Who is who?"), Sample("b", "Is it?")])
    assert tokenizer.state() == {"words": ["?", "is", "who"]}
    prepared = tokenizer.prepare(Sample("c", "Who is  Ann?"))
    assert tokenizer.unknown_count(prepared) == 1
    assert tokenizer.units(prepared).tolist() == [0, 4, 8, 11]
    assert tokenizer.restore(prepared["ids"]) == "who is \ufffd ?"
    with pytest.raises(BadSample, match="is empty"):
        tokenizer.prepare(Sample("d", "  "))
    with pytest.raises(ConfigError, match="least=0 must be at least 1"):
        WordTokenizer(8, least=0)


def test_an_unknown_token_is_special() -> None:
    pieces = tokenizers.models.WordPiece({"[UNK]": 0, "a": 1}, unk_token="[UNK]")
    bpe = BPETokenizer(8)
    bpe.restore_state({"tokenizer": tokenizers.Tokenizer(pieces).to_str()})
    assert bpe.special_ids == {0, 2, 3, 4}
    for tokenizer in (WordTokenizer(8, least=1), CharacterTokenizer(8, unknown="keep")):
        tokenizer.fit([Sample("x", "abc")])
        assert tokenizer.unknown_id == 3 and tokenizer.special_ids == {0, 1, 2, 3}
    assert CharacterTokenizer(8).unknown_id is None


def test_nothing_works_before_fit() -> None:
    with pytest.raises(ConfigError, match="CharacterTokenizer has no vocabulary yet: call fit"):
        CharacterTokenizer(8).prepare(SAMPLES[0])


def test_bpe_restores_any_text(bpe: BPETokenizer) -> None:
    for text in [*TEXTS, "日本 <mask> 🙂"]:
        ids = bpe.prepare(Sample("x", text))["ids"]
        assert bpe.restore(ids) == text
        assert not bpe.special_ids & set(ids.tolist())  # a special token's name in a text is text
    assert len(bpe.names()) == 300


def test_bpe_describes_pieces(bpe: BPETokenizer) -> None:
    prepared = bpe.prepare(Sample("x", "to be"))
    names = [bpe.describe(prepared, i) for i in range(bpe.count(prepared))]
    assert "".join(names) == "to␣be"


def test_bpe_state_and_file(bpe: BPETokenizer, tmp_path: Path) -> None:
    other = BPETokenizer(8)
    other.restore_state(json.loads(json.dumps(bpe.state())))
    file = tmp_path / "tokenizer.json"
    file.write_text(bpe.state()["tokenizer"])
    loaded = BPETokenizer(8, file=str(file), bos=True)
    loaded.fit([])
    ids = bpe.prepare(SAMPLES[0])["ids"]
    assert torch.equal(other.prepare(SAMPLES[0])["ids"], ids)
    assert torch.equal(loaded.prepare(SAMPLES[0])["ids"][1:], ids)
    assert loaded.vocabulary == other.vocabulary == bpe.vocabulary


def test_a_files_special_tokens_stay_text_in_texts(bpe: BPETokenizer, tmp_path: Path) -> None:
    pieces = tokenizers.Tokenizer.from_str(bpe.state()["tokenizer"])
    pieces.add_special_tokens(["<|endoftext|>"])
    pieces.save(str(tmp_path / "tokenizer.json"))
    tokenizer = BPETokenizer(8, file=str(tmp_path / "tokenizer.json"), roles={"eos": "<|endoftext|>"}, eos=True)
    tokenizer.fit([])
    tokenizer = pickle.loads(pickle.dumps(tokenizer))  # as a spawned worker gets it
    ids = tokenizer.prepare(Sample("x", "a<|endoftext|>b"))["ids"]
    assert tokenizer.eos_id in tokenizer.special_ids
    assert (ids == tokenizer.eos_id).nonzero().tolist() == [[len(ids) - 1]]
    assert tokenizer.restore(ids) == "a<|endoftext|>b"


def test_bpe_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="vocabulary_size=200 is too small: byte-level BPE needs at least 259"):
        BPETokenizer(8, vocabulary_size=200)
    with pytest.raises(ConfigError, match=r"tokenizer.file=.*none.json is not there"):
        BPETokenizer(8, file=str(tmp_path / "none.json")).fit([])
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"bad.json is not a tokenizer.json"):
        BPETokenizer(8, file=str(tmp_path / "bad.json")).fit([])
    with pytest.raises(ConfigError, match="roles has 'pad'"):
        BPETokenizer(8, roles={"pad": "<pad>"})
    tokenizer = BPETokenizer(8, roles={"bos": None}, bos=True)
    with pytest.raises(ConfigError, match="bos=true needs a token for it"):
        tokenizer.fit(SAMPLES)


def test_long_text_is_an_error_or_is_cut() -> None:
    tokenizer = ByteTokenizer(8, max_length=5, prefix=1)
    prepared = tokenizer.prepare(Sample("x", "abcdef"))
    with pytest.raises(BadSample, match=r"x: makes 7 tokens, and the model takes 5; raise tokenizer[.]max_length"):
        tokenizer.check_length("x", prepared)
    assert tokenizer.restore(tokenizer.cut(prepared, 2, 4)["ids"]) == "cd"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stride": 8}, "tokenizer.stride=8 needs tokenizer.max_length, the length of a piece"),
        (
            {"stride": 256, "max_length": 256, "prefix": 1},
            "stride=256 must be at least 1 and at most 255, .*max_length=256 without the 1 tokens of tokenizer.prefix",
        ),
        ({"stride": 0, "max_length": 256}, "stride=0 must be at least 1 and at most 256"),
    ],
)
def test_a_stride_fits_a_piece(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ByteTokenizer(8, **arguments)


def test_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("naïve", encoding="utf-8")
    assert [sample.value for sample in BYTES.read(tmp_path / "a.txt")] == ["naïve"]
    (tmp_path / "b.txt").write_bytes(b"\xff")
    with pytest.raises(BadSample, match="not a readable UTF-8 text file"):
        BYTES.read(tmp_path / "b.txt")


def test_hugging_faces_package_is_not_shadowed() -> None:
    root = Path(__file__).parents[2]
    code = "import tokenizers; print(tokenizers.__version__, tokenizers.Tokenizer.__module__)"
    assert subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True).stdout


@pytest.mark.parametrize("make", [ByteTokenizer, CharacterTokenizer, WordTokenizer, BPETokenizer])
def test_a_file_is_one_text_or_one_on_each_line(make: type, tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_bytes("\ufeffone \r\n\n  two\u2028three\n".encode())
    assert [each.value for each in make(8, lines=True).read(path)] == ["one", "two\u2028three"]
    assert [each.name for each in make(8, lines=True).read(path)] == [f"{path}, line 1", f"{path}, line 3"]
    path.write_bytes(b"one\ntwo\n")
    assert [(each.name, each.value) for each in make(8).read(path)] == [(str(path), "one\ntwo\n")]
    path.write_text("\n \n")
    with pytest.raises(BadSample, match=r"some\.txt: holds no text: write one on each line"):
        make(8, lines=True).read(path)
