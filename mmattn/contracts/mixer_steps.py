"""What a mixer's `step` must fulfil, and who may be without one."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from mmattn.contracts.mixer_rows import DOCUMENTS, close, context, facts, tokens, width_read
from mmattn.errors import ConfigError
from mmattn.mixers import Mixer
from mmattn.positions import Position
from mmattn.sequence import TokenInfo

ONE_BY_ONE = 9
PLAIN = torch.tensor(DOCUMENTS["rows without padding"])


def has_step(mixer: Mixer, dim: int, position: Position | None = None) -> bool:
    """Whether the mixer, of float64, takes the first token of a document: what has no step raises `ConfigError`."""
    info = facts(PLAIN[:, :1])
    x = tokens(info.document, dim, torch.Generator().manual_seed(0))
    try:
        mixer.step(x, context(info, width_read(mixer, dim), position or Position()), None)
    except ConfigError:
        return False
    return True


@torch.no_grad()
def looks_ahead(mixer: Mixer, dim: int, position: Position) -> bool:
    """Whether what a token becomes depends on later ones."""
    info, generator = facts(PLAIN), torch.Generator().manual_seed(0)
    around = context(info, width_read(mixer, dim), position)
    x, other = (tokens(PLAIN, dim, generator) for _ in range(2))
    before = mixer(x, around)
    for start in range(1, x.shape[1]):
        after = mixer(torch.cat([x[:, :start], other[:, start:]], 1), around)
        if not close(before[:, :start], after[:, :start]):
            return True
    return False


@torch.no_grad()
def step_faults(mixer: Mixer, x: Tensor, info: TokenInfo, whole: Tensor, position: Position) -> Iterator[str]:
    """Where steps over x (batch, length, dim), without gradients as in decoding, are not its one pass, `whole`."""
    read = width_read(mixer, x.shape[-1])
    for sizes in _sizes(x.shape[1]):
        outs, state, start = [], None, 0
        for size in sizes:
            places = torch.arange(start, start + size).expand(len(x), -1)
            taken, around = x[:, start : start + size], context(info.pick(places), read, position, info)
            try:
                out, new = mixer.step(taken, around, state)
                again, _ = mixer.step(taken, around, state)
            except ConfigError as error:  # it took a first token elsewhere, so it says that it has a step
                yield f"a step of {size} after {start} tokens raises: {error}"
                return
            if not torch.equal(out, again):
                yield f"a step of {size} changes the state that it was given."
                return
            outs.append(out)
            start, state = start + size, new
        if not close(torch.cat(outs, 1)[info.real], whole[info.real]):
            yield f"steps of {sizes} tokens become something else than one pass."


def _sizes(length: int) -> list[list[int]]:
    """Of steps: some, and one by one where that is soon done."""
    halves = [length // 2, 1, length - length // 2 - 1]
    return [halves] if length > ONE_BY_ONE else [[1] * length, halves]
