"""What is measured: a pattern at any length, the facts of its tokens, a bias, and what it is measured against."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import isqrt

import torch

from mmattn.biases import Added, ALiBi
from mmattn.errors import ConfigError, nearest
from mmattn.patterns import (
    Causal,
    ChunkedCausal,
    Full,
    GlobalTokens,
    Neighbourhood,
    Pattern,
    PrefixLM,
    SlidingWindow,
    Strided,
)
from mmattn.sequence import Layout, TokenInfo

DOCUMENTS, GLOBALS = 64, 16


def one_document(length: int) -> TokenInfo:
    return TokenInfo.from_lengths([length])


def first_global(length: int) -> TokenInfo:
    """One document whose first tokens are global."""
    info = one_document(length)
    return replace(info, is_global=info.order < GLOBALS)


def grid(length: int) -> TokenInfo:
    """One document on a square grid, row after row; where the length is no square, the last rows are shorter."""
    place, side = torch.arange(length), isqrt(length)
    coordinates = torch.stack([place // side, place % side], -1)[None]
    return TokenInfo.from_lengths([length], coordinates=coordinates)


def packed(length: int) -> TokenInfo:
    """Documents of random lengths (seed 0), one after the other in one row."""
    if length < DOCUMENTS:
        raise ConfigError(f"packed_64_causal packs {DOCUMENTS} documents; give it a --length of at least as much.")
    cuts = [0, *sorted(random.Random(0).sample(range(1, length), DOCUMENTS - 1)), length]
    counts = torch.tensor(cuts).diff()
    order = torch.cat([torch.arange(count) for count in counts.tolist()])[None]
    document = torch.arange(DOCUMENTS).repeat_interleave(counts)[None]
    return replace(
        one_document(length),
        order=order,
        coordinates=order[..., None],
        document=document,
        known_layout=Layout(one_document=False, padded=False),
    )


def quarter_prefix(length: int) -> TokenInfo:
    """One document whose first quarter is its prefix."""
    info = one_document(length)
    return replace(info, extra={"prefix": info.order < length // 4})


@dataclass(frozen=True)
class Case:
    """pattern, info: made for a length; bias: made for a number of heads, None: none; against: names of peers."""

    pattern: Callable[[int], Pattern]
    info: Callable[[int], TokenInfo] = one_document
    bias: Callable[[int], Added] | None = None
    against: Sequence[str] = ("sdpa",)


CASES = {
    "window_256": Case(lambda n: SlidingWindow(256), against=("sdpa", "local_attention")),
    "window_256_two_sided": Case(lambda n: SlidingWindow(256, 256), against=("sdpa", "longformer")),
    "global_16": Case(lambda n: SlidingWindow(256, 256) | GlobalTokens(), first_global),
    "strided_local": Case(lambda n: Causal() & (SlidingWindow(isqrt(n)) | Strided(isqrt(n)))),
    "dilated": Case(lambda n: SlidingWindow(256, 0, dilation=4)),
    "neighbourhood_7x7": Case(lambda n: Neighbourhood(3, 3), grid),
    "packed_64_causal": Case(lambda n: Causal(), packed),
    "chunked_causal": Case(lambda n: ChunkedCausal(1024)),
    "prefix_lm": Case(lambda n: PrefixLM(), quarter_prefix),
    "full": Case(lambda n: Full()),
    "causal": Case(lambda n: Causal()),
    "full_alibi": Case(lambda n: Full(), bias=ALiBi),
}


def selected(names: Sequence[str], prefixes: Sequence[str]) -> list[str]:
    """Cases of these names and those that begin with a prefix, in the order of the table; all where none is asked for.

    Raises ConfigError for a name or prefix that fits no case.
    """
    for name in [*names, *prefixes]:
        fits = name in CASES if name in names else any(case.startswith(name) for case in CASES)
        if not fits:
            raise ConfigError(f"There is no case '{name}'.{nearest(name, CASES)} Cases: {', '.join(CASES)}.")
    if not names and not prefixes:
        return list(CASES)
    return [case for case in CASES if case in names or any(case.startswith(prefix) for prefix in prefixes)]
