"""Random patterns and random facts about tokens, for hypothesis."""

from __future__ import annotations

import torch
from hypothesis import strategies as st

from mmattn.patterns import (
    Causal,
    Chunk,
    ChunkedCausal,
    CrossModality,
    Full,
    GlobalTokens,
    Neighbourhood,
    Pattern,
    PrefixLM,
    SameModality,
    SlidingWindow,
    Strided,
)
from mmattn.sequence import TokenInfo

LOW, SIZE = st.integers(0, 5), st.integers(1, 5)
LEAVES: list[st.SearchStrategy[Pattern]] = [
    st.sampled_from([Causal(), CrossModality(), Full(), GlobalTokens(), PrefixLM(), SameModality()]),
    st.builds(Chunk, SIZE),
    st.builds(ChunkedCausal, SIZE),
    st.builds(Neighbourhood, LOW, LOW),
    st.builds(SlidingWindow, LOW, LOW, SIZE),
    st.builds(Strided, SIZE),
]
TREES: st.SearchStrategy[Pattern] = st.recursive(
    st.one_of(LEAVES),
    lambda inner: st.one_of(
        st.builds(lambda one, other: one & other, inner, inner),
        st.builds(lambda one, other: one | other, inner, inner),
        st.builds(lambda pattern: ~pattern, inner),
    ),
    max_leaves=5,
)


@st.composite
def a_row(draw: st.DrawFn, most: int = 12) -> TokenInfo:
    """A row of up to four of five documents and of padding on one side, every fact at random; (1, tokens)."""
    documents = draw(st.lists(st.integers(0, 4), max_size=4, unique=True))
    lengths = [draw(st.integers(1, most)) for _ in documents]
    padding = [-1] * draw(st.integers(0, 5))
    real = [number for number, length in zip(documents, lengths, strict=True) for _ in range(length)]
    order = [place for length in lengths for place in range(length)]
    left = draw(st.booleans())
    document = torch.tensor([padding + real if left else real + padding], dtype=torch.long)
    zeros = [0] * len(padding)
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**16)))

    def some(high: int) -> torch.Tensor:
        return torch.randint(high, document.shape, generator=generator)

    grid = torch.stack([some(4), some(4)], -1).masked_fill(some(5)[..., None] == 0, -1)
    return TokenInfo(
        torch.tensor([zeros + order if left else order + zeros], dtype=torch.long),
        grid,
        document,
        some(3),
        some(4) == 0,
        {"prefix": some(3) == 0},
    )


@st.composite
def sides(draw: st.DrawFn, most: int = 12) -> tuple[TokenInfo, TokenInfo]:
    """Queries and keys: the same object, or rows of their own that share documents by chance."""
    queries = draw(a_row(most))
    return queries, draw(a_row(most)) if draw(st.booleans()) else queries
