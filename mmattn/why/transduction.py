"""An encoder, a decoder, and between them either all that was encoded or its last vector alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mmattn.backbone import Backbone
from mmattn.memory import Memory
from mmattn.sequence import TokenInfo, TokenSequence
from mmattn.why.pairs import Pair

BEGIN, END = 0, 1
SPECIAL = 2


class Transducer(nn.Module):
    """Texts → texts, over letters.

    Args:
        letters: known on both sides.
        one_vector: the decoder sees the encoder's output at the last letter alone.
    """

    def __init__(self, letters: str, encoder: Backbone, decoder: Backbone, one_vector: bool = False) -> None:
        super().__init__()
        self.ids = {letter: number + SPECIAL for number, letter in enumerate(sorted(set(letters)))}
        self.letters = {number: letter for letter, number in self.ids.items()}
        self.embed = nn.Embedding(len(self.ids) + SPECIAL, encoder.dim)
        self.encoder, self.decoder, self.one_vector = encoder, decoder, one_vector
        self.out = nn.Linear(decoder.dim, len(self.ids) + SPECIAL)

    def loss(self, pairs: Sequence[Pair]) -> Tensor:
        """Mean nats a letter of the targets, their ends included."""
        given, targets = zip(*pairs, strict=True)
        rows = [[BEGIN, *self._ids(text), END] for text in targets]
        ids, info = self._batch([row[:-1] for row in rows])
        wanted, _ = self._batch([row[1:] for row in rows])
        scores = self.scores(ids, info, self.read(given))
        return cross_entropy(scores[info.real], wanted[info.real])

    def read(self, texts: Sequence[str]) -> Memory:
        """What the decoder sees of texts, none of which is empty."""
        ids, info = self._batch([self._ids(text) for text in texts])
        out = self.encoder(TokenSequence(self.embed(ids), info))
        if self.one_vector:
            last = info.real.sum(1, keepdim=True) - 1
            embeddings = out.embeddings.gather(1, last[..., None].expand(-1, -1, out.embeddings.shape[-1]))
            out = TokenSequence(embeddings, TokenInfo.from_lengths([1] * len(texts)))
        return Memory(out)

    def scores(self, ids: Tensor, info: TokenInfo, memory: Memory) -> Tensor:
        """ids (batch, length) so far → scores (batch, length, letters) of what comes next."""
        return self.out(self.decoder(TokenSequence(self.embed(ids), info), memory).embeddings)

    @torch.no_grad()
    def made(self, texts: Sequence[str], longest: int) -> list[str]:
        """The likeliest letters one after the other, until the end or `longest`."""
        memory, ids = self.read(texts), torch.full((len(texts), 1), BEGIN)
        for _ in range(longest + 1):
            info = TokenInfo.from_lengths([ids.shape[1]] * len(texts))
            ids = torch.cat([ids, self.scores(ids, info, memory)[:, -1:].argmax(-1)], 1)
            if bool((ids == END).any(1).all()):
                break
        return ["".join(self.letters.get(each, "") for each in _until_end(row)) for row in ids[:, 1:].tolist()]

    def _ids(self, text: str) -> list[int]:
        return [self.ids[letter] for letter in text]

    @staticmethod
    def _batch(rows: Sequence[Sequence[int]]) -> tuple[Tensor, TokenInfo]:
        ids = nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=END)
        return ids, TokenInfo.from_lengths([len(row) for row in rows])


def _until_end(row: Sequence[int]) -> Sequence[int]:
    return row[: row.index(END)] if END in row else row
