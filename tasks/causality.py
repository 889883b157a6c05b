"""Whether a backbone shows tokens before their turn, found out by trying it on random ones."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from mmattn.backbone import Backbone
from mmattn.context import Context
from mmattn.memory import Memory
from mmattn.sequence import TokenInfo, TokenSequence
from mmattn.tokenizer import Tokenizer

CUTS = (3, 61, 127, 191)
"""In each row of a trial, how many tokens stay as they are: primes, where no pattern that works in blocks ends one."""

ROWS, LENGTH = len(CUTS) + 1, 256
"""Documents of a trial, one a row, and their tokens without the tokenizer's prefix; the first row is left as it is."""


def place_of(backbone: Backbone) -> torch.device:
    """Where its weights are: before training a task names the trainer's device, to which they are yet to be moved."""
    return next(backbone.parameters()).device


def trial(tokenizer: Tokenizer, device: torch.device) -> TokenSequence:
    """Documents with every fact that a pattern may read: some tokens are global, as a tokenizer may say of any."""
    batch = tokenizer.collate([{"ids": torch.zeros(LENGTH, dtype=torch.long)}] * ROWS)
    tokens = tokenizer({name: each.to(device) if isinstance(each, Tensor) else each for name, each in batch.items()})
    info = replace(tokens.info, is_global=tokens.info.is_global | (tokens.info.order % 3 == 1))
    return replace(tokens, info=info)


def looks_ahead(backbone: Backbone, info: TokenInfo, among: Tensor, memory: TokenSequence | None = None) -> str | None:
    """What lets an output depend on later tokens `among` (batch, length) these; None where nothing does.

    The backbone is tried with random weights: a branch that starts from zeros would show nothing yet. `memory` is what
    its cross-attention reads, where it has any.
    """
    tried, read = randomised(backbone), None if memory is None else Memory(memory)
    context = Context(info, tried.position, read)
    for name, block in tried.blocks.named_children():
        if _changes(partial(block, context=context), info, backbone.dim, among):
            pattern = getattr(block.mixer, "pattern", None)
            kind = type(block.mixer).__name__
            return f"backbone.blocks.{name}, whose mixer is {kind}{'' if pattern is None else f' with {pattern}'},"
    # All tokens in one place: a table of positions may end before them.
    near = replace(info, coordinates=info.coordinates.clamp(max=0))
    whole = _changes(lambda x: tried(TokenSequence(x, near), read).embeddings, info, backbone.dim, among)
    return f"backbone.position, {type(tried.position).__name__}, or backbone.norm" if whole else None


@torch.no_grad()
def randomised(backbone: Backbone) -> Backbone:
    """A copy for evaluation in float32 whose weights are all random, and of a size that keeps the scale of tokens."""
    copied, generator = copy.deepcopy(backbone).float().eval(), torch.Generator().manual_seed(0)
    for parameter in copied.parameters():
        drawn = torch.randn(parameter.shape, generator=generator).to(parameter.device)
        if parameter.ndim < 2:
            parameter.add_(drawn, alpha=0.5)
        else:
            parameter.copy_(drawn * parameter[0].numel() ** -0.5)
    return copied


@torch.no_grad()
def _changes(run: Callable[[Tensor], Tensor], info: TokenInfo, dim: int, among: Tensor) -> bool:
    """Whether an output before a row's cut changes with the tokens behind it."""
    device = info.order.device
    cuts = torch.tensor([info.order.shape[1], *CUTS], device=device)
    later = info.order >= cuts[:, None]
    first, other = torch.randn(2, info.order.shape[1], dim, generator=torch.Generator().manual_seed(1)).to(device)
    out = run(torch.where((later & among)[..., None], other, first))
    changes = (out - out[:1]).abs().amax(-1).masked_fill(later, 0)
    return bool(changes.max() > 1e-4 * out.abs().max())
