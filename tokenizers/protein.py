"""Proteins as amino-acid residues, with the alphabet of ESM-2."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from mmattn.data.readers import read_fasta
from mmattn.data.source import Sample
from mmattn.errors import BadSample
from mmattn.tokenizer import Prepared
from mmattn.tokenizers.discrete import DiscreteTokenizer, text_of

RESIDUES = "LAGVSERTIDPKQNFYMHWCXBUZO"  # X any, B Asx, Z Glx, U selenocysteine, O pyrrolysine
VOCABULARY = ("<cls>", "<pad>", "<eos>", "<unk>", *RESIDUES, ".", "-", "<null_1>", "<mask>")
IDS = {name: i for i, name in enumerate(VOCABULARY)}
IDS_OF_LETTERS = {case: IDS[letter] for letter in RESIDUES for case in (letter, letter.lower())}


class ProteinTokenizer(DiscreteTokenizer):
    """One token a residue, ids as in ESM-2 (Lin et al. 2023, https://doi.org/10.1126/science.ade2574).

    Args:
        cls: begin every protein with `<cls>`.
        eos: end every protein with `<eos>`.

    Lower case, by which FASTA files mark low-complexity regions (soft masking), is read as upper case. Gaps (`-`, `.`)
    and stops (`*`) are no residues and are rejected: they belong to alignments and translations.
    """

    def __init__(
        self,
        dim: int,
        *,
        cls: bool = True,
        eos: bool = True,
        max_length: int | None = None,
        stride: int | None = None,
        prefix: int = 0,
        deviation: float = 0.02,
        token_dropout: float = 0.0,
    ) -> None:  # all by name, because `bos` is called `cls` here
        super().__init__(
            dim,
            bos=cls,
            eos=eos,
            max_length=max_length,
            stride=stride,
            prefix=prefix,
            deviation=deviation,
            token_dropout=token_dropout,
        )
        special = [i for name, i in IDS.items() if name not in RESIDUES]
        self.define(VOCABULARY, {"bos": IDS["<cls>"], "eos": IDS["<eos>"], "mask": IDS["<mask>"]}, special)

    def encode(self, sample: Sample) -> tuple[Tensor, Tensor]:
        letters = text_of(sample)
        for place, letter in enumerate(letters, start=1):
            if letter not in IDS_OF_LETTERS:
                raise BadSample(
                    sample.name,
                    f"letter '{letter}' at position {place} is no residue; valid are {''.join(sorted(RESIDUES))}",
                )
        ids = torch.tensor([IDS_OF_LETTERS[letter] for letter in letters], dtype=torch.int32)
        return ids, torch.arange(len(ids), dtype=torch.int32)

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(VOCABULARY[i] for i in ids)

    def describe(self, prepared: Prepared, index: int) -> str:
        """The residue and its place in the protein, from 1, or the name of a special token."""
        name = VOCABULARY[int(prepared["ids"][index])]
        return f"{name} {int(prepared['units'][index]) + 1}" if name in RESIDUES else name

    def read(self, path: Path) -> Sequence[Sample]:
        """One sample a FASTA record, named by its header."""
        return [
            Sample(header or f"{path}, record {i}", letters) for i, (header, letters) in enumerate(read_fasta(path), 1)
        ]
