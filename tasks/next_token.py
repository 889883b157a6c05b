"""What the tasks share that guess the next token."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from mmattn.sequence import PADDING, TokenSequence


def next_tokens(tokens: TokenSequence) -> Tensor:
    """The id after each token in its own document (batch, length); -1 where there is none to guess.

    What lies in the prefix (`info.extra["prefix"]`) may be seen before, so nothing has to guess it.
    """
    assert tokens.ids is not None
    document, target = tokens.info.document, torch.full_like(tokens.ids, PADDING)
    same = (document[:, 1:] == document[:, :-1]) & (document[:, 1:] >= 0)
    if "prefix" in tokens.info.extra:
        same = same & ~tokens.info.extra["prefix"][:, 1:]
    target[:, :-1] = torch.where(same, tokens.ids[:, 1:], PADDING)
    return target


def guessed(head: Callable[[TokenSequence], Tensor], out: TokenSequence, target: Tensor) -> tuple[Tensor, Tensor]:
    """Scores (targets, vocabulary) and ids (targets,) of every token that has a next one to guess."""
    known = target >= 0
    picked = TokenSequence(out.embeddings[known], out.info)  # the head works on each token alone
    return head(picked), target[known]


def chosen(scores: Tensor, temperature: float, generators: Sequence[torch.Generator]) -> Tensor:
    """Ids (rows,) sampled by scores (rows, vocabulary) at a temperature, a generator a row; 0: the likeliest."""
    if temperature == 0:
        return scores.argmax(-1)
    highest = scores.max(-1, keepdim=True).values  # less the highest, as a low temperature would make infinities
    shares = ((scores - highest) / temperature).softmax(-1)
    return torch.cat([torch.multinomial(row, 1, generator=its) for row, its in zip(shares, generators, strict=True)])


def behind(tokens: TokenSequence, seen: int) -> TokenSequence:
    """The tokens without the first `seen` of each row."""
    index = torch.arange(seen, tokens.embeddings.shape[1], device=tokens.embeddings.device)
    info = tokens.info.pick(index.expand(len(tokens.embeddings), -1), tokens.info.layout)
    return TokenSequence(tokens.embeddings[:, seen:], info, None if tokens.ids is None else tokens.ids[:, seen:])
