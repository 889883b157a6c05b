"""One token after the other, each guessed from a memory and the tokens before it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mmattn.backbone import Backbone
from mmattn.memory import Memory
from mmattn.sequence import PADDING, Layout, TokenSequence
from mmattn.tasks.guidance import guided, twice
from mmattn.tasks.next_token import behind, chosen

NONE = PADDING - 1  # an id that no token has


@torch.no_grad()
def decode(
    tokenizer: Any,
    backbone: Backbone,
    head: nn.Module,
    memory: Memory,
    longest: int,
    temperature: float = 0.0,
    seed: int = 0,
    guidance: float = 1.0,
) -> Tensor:
    """Ids (documents, length) of which `bos` is left out: at most `longest - 1`, -1 behind the `eos` of a document.

    Each step adds one token to the cache. Of special tokens only `eos` may come. Temperature 0 takes the likeliest,
    others draw row i with seed + i. Guidance other than 1 exaggerates what the memory says: each token is scored
    without it, too.
    """
    rows, device = len(memory.tokens.embeddings), memory.tokens.embeddings.device
    end = tokenizer.eos_id if tokenizer.eos else NONE
    never = sorted(tokenizer.special_ids - {end})
    generators = [torch.Generator(device).manual_seed(seed + row) for row in range(rows)]
    ids = torch.full((rows, 1), tokenizer.bos_id, device=device)
    ended, state, seen = torch.zeros_like(ids[:, 0]).bool(), None, 0
    sides = 1 if guidance == 1 else 2
    memory = memory if sides == 1 else Memory(twice(memory.tokens))
    while ids.shape[1] < longest and not bool(ended.all()):
        hidden, state = backbone.step(behind(_tokens(tokenizer, ids.repeat(sides, 1)), seen), state, memory)
        seen += hidden.embeddings.shape[1]
        scores = head(hidden.with_embeddings(hidden.embeddings[:, -1:]))[:, 0]
        scores = scores if sides == 1 else guided(scores, guidance)
        scores[:, never] = -torch.inf
        new = chosen(scores, temperature, generators).masked_fill(ended, PADDING)
        ids, ended = torch.cat([ids, new[:, None]], 1), ended | (new == end)
    return ids[:, 1:]


def _tokens(tokenizer: Any, ids: Tensor) -> TokenSequence:
    """The tokens of ids (documents, length); those behind an end are read by none that counts."""
    rows, length = ids.shape
    lengths = torch.full((rows,), length, device=ids.device)
    facts = {"lengths": lengths, "length": length, "tokens": rows * length, "layout": Layout(True, False)}
    tokens: TokenSequence = tokenizer({"ids": ids, **facts})
    return tokens
