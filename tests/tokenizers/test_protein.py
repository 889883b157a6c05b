from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmattn.data.source import Sample
from mmattn.errors import BadSample
from mmattn.tokenizers.protein import RESIDUES, VOCABULARY, ProteinTokenizer

TOKENIZER = ProteinTokenizer(8)


def test_alphabet_is_esm2s() -> None:
    from transformers.models.esm.configuration_esm import get_default_vocab_list

    assert get_default_vocab_list() == VOCABULARY
    assert TOKENIZER.prepare(Sample("x", "LAG"))["ids"].tolist() == [0, 4, 5, 6, 2]
    assert len(set(range(33)) - TOKENIZER.special_ids) == len(RESIDUES) == 25


@given(st.text(RESIDUES, min_size=1, max_size=40))
def test_restores(protein: str) -> None:
    assert TOKENIZER.restore(TOKENIZER.prepare(Sample("x", protein))["ids"]) == protein
    lower = TOKENIZER.prepare(Sample("x", protein.lower()))["ids"]
    assert torch.equal(lower, TOKENIZER.prepare(Sample("x", protein))["ids"])


@pytest.mark.parametrize("letter", ["J", "*", "-", "ß", " "])
def test_other_letters_are_named(letter: str) -> None:
    fault = (
        rf"P1: letter '{'[*]' if letter == '*' else letter}' at position 3 is no residue; valid are ABCDEFGHIKLMNOPQ"
    )
    with pytest.raises(BadSample, match=fault):
        TOKENIZER.prepare(Sample("P1", f"MK{letter}A"))


def test_describe_counts_residues() -> None:
    prepared = TOKENIZER.prepare(Sample("x", "MKA"))
    assert [TOKENIZER.describe(prepared, i) for i in range(5)] == ["<cls>", "M 1", "K 2", "A 3", "<eos>"]
    assert TOKENIZER.describe(TOKENIZER.cut(prepared, 2, 4), 1) == "A 3"
    bare = ProteinTokenizer(8, cls=False, eos=False)
    assert bare.describe(bare.prepare(Sample("x", "MKA")), 0) == "M 1"


def test_read_gives_a_sample_a_record(tmp_path: Path) -> None:
    (tmp_path / "a.fasta").write_text(">one\nMKT\nVR\n>two\nAG\n")
    assert [(s.name, s.value) for s in TOKENIZER.read(tmp_path / "a.fasta")] == [("one", "MKTVR"), ("two", "AG")]
