"""A batch's tokens as one long row: rows need no place of their own where documents already keep them apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from mmattn.sequence import PADDING, TokenInfo


def flat(queries: TokenInfo, keys: TokenInfo) -> tuple[TokenInfo, TokenInfo]:
    """The facts (1, batch · length) of both sides, with document numbers that differ from row to row."""
    if queries.document.shape[0] == 1:
        return queries, keys
    known = torch.unique(torch.cat([queries.document.flatten(), keys.document.flatten()]))
    first = _flat(queries, known)
    return first, first if keys is queries else _flat(keys, known)


def padded(info: TokenInfo, multiple: int) -> TokenInfo:
    """Facts (1, tokens) with padding after them, up to a multiple of tokens."""
    missing = -info.order.shape[1] % multiple
    if not missing:
        return info
    longer = info.map(lambda fact: pad(fact, (0, 0) * (fact.ndim - 2) + (0, missing)))
    document = pad(info.document, (0, missing), value=PADDING)
    return replace(longer, document=document)


def _flat(info: TokenInfo, known: Tensor) -> TokenInfo:
    """Documents by their place among the known numbers, which may be as large as they like."""
    rows = torch.arange(info.document.shape[0], device=info.document.device)[:, None]
    document = torch.where(info.real, torch.searchsorted(known, info.document) + rows * len(known), PADDING)
    return replace(info, document=document).map(lambda fact: fact.flatten(0, 1)[None])


def check_contiguous(documents: NDArray) -> None:
    """documents: the number of each run of tokens. Raises ValueError where one has several runs."""
    if len(np.unique(documents)) < len(documents):
        raise ValueError("the tokens of a document must be contiguous in their row, and these are not")
