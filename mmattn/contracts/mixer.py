"""What any mixer must fulfil: documents, padding and steps are its own business, in each layer."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor

from mmattn.context import Context
from mmattn.errors import ConfigError
from mmattn.memory import Memory
from mmattn.mixers import Mixer
from mmattn.positions import Position
from mmattn.sequence import PADDING, TokenInfo, TokenSequence

DOCUMENTS = {
    "rows without padding": [[0] * 9, [1] * 9],
    "padding on the right": [[0] * 5 + [-1] * 4, [1] * 9],
    "padding on the left": [[-1] * 4 + [0] * 5, [1] * 9],
    "several documents in a row": [[0] * 2 + [1] * 4 + [2] * 2 + [-1], [3] + [4] * 8],
    "padding inside a document": [[0] * 2 + [-1] * 2 + [0] * 3 + [-1] * 2, [-1] + [1] * 3 + [-1] + [2] * 4],
    "a row of padding": [[-1] * 9, [0] * 9],
}
"""The documents of two rows; −1 is padding."""
STEPS = [[1] * 9, [4, 1, 4]]
CLOSE = 1e-9
EMPTY = (0, 3), (2, 0)
LARGEST = max(max(row) for rows in DOCUMENTS.values() for row in rows) + 1


def check_mixer(mixer: Mixer, dim: int, position: Position | None = None) -> list[str]:
    """The faults of a mixer of width `dim`, a sentence each; an empty list if it fulfils the contract.

    A copy is tried in float64, with random weights (a gate of 0 would hide all), on tokens of a grid with two axes,
    beside a memory of the same documents; position: where tokens are, by default nowhere. A mixer
    whose `step` raises `ConfigError` has none, and may look ahead.
    """
    mixer, position = randomised(mixer), position or Position()
    faults = [
        f"{name}: {fault}"
        for name, rows in DOCUMENTS.items()
        for fault in _faults(mixer, dim, torch.tensor(rows), position)
    ]
    for shape in EMPTY:
        info = facts(torch.zeros(shape, dtype=torch.long))
        out = mixer(torch.zeros(*shape, dim, dtype=torch.float64), _context(info, _read(mixer, dim), position))
        if out.shape != (*shape, dim):
            faults.append(f"nothing, {shape}: becomes {tuple(out.shape)}.")
    return faults


@torch.no_grad()
def randomised(mixer: Mixer) -> Mixer:
    """A copy in float64 whose weights all differ from what they begin with."""
    generator = torch.Generator().manual_seed(2)
    mixer = copy.deepcopy(mixer).double().eval()
    for parameter in mixer.parameters():
        parameter.add_(0.3 * torch.randn(parameter.shape, dtype=parameter.dtype, generator=generator))
    return mixer


def _faults(mixer: Mixer, dim: int, document: Tensor, position: Position) -> Iterator[str]:
    info, read = facts(document), _read(mixer, dim)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(*document.shape, dim, dtype=torch.float64, generator=generator)
    x.requires_grad_()
    out = mixer(x, _context(info, read, position))
    if out.shape != x.shape:
        yield f"tokens {tuple(x.shape)} become {tuple(out.shape)}; the shape must stay."
        return
    if not out.isfinite().all():
        yield "something is not finite, at padding or elsewhere."
        return
    (gradient,) = torch.autograd.grad(out[info.real].square().sum(), x)
    if gradient[~info.real].any():
        yield "padding has gradients: it was read."
    other = mixer(
        x + torch.randn(x.shape, dtype=x.dtype, generator=generator) * ~info.real[..., None],
        _context(info, read, position),
    )
    if not torch.equal(out[info.real], other[info.real]):
        yield "what stands at padding changes what tokens become."
    for number in document[info.real].unique():
        row, column = (document == number).nonzero(as_tuple=True)
        alone = mixer(x[row, column][None], _context(facts(torch.full((1, len(row)), int(number))), read, position))[0]
        if not _close(out[row, column], alone):
            yield f"document {int(number)} becomes something else than it does alone."
    yield from _step_faults(mixer, x.detach(), info, out, position)


def _step_faults(mixer: Mixer, x: Tensor, info: TokenInfo, whole: Tensor, position: Position) -> Iterator[str]:
    read = _read(mixer, x.shape[-1])
    for sizes in STEPS:
        outs, state, start = [], None, 0
        for size in sizes:
            places = torch.arange(start, start + size).expand(len(x), -1)
            tokens, context = x[:, start : start + size], _context(info.pick(places), read, position, info)
            try:
                out, new = mixer.step(tokens, context, state)
            except ConfigError:
                return
            again, _ = mixer.step(tokens, context, state)
            if not torch.equal(out, again):
                yield f"a step of {size} changes the state that it was given."
                return
            outs.append(out)
            start, state = start + size, new
        if not _close(torch.cat(outs, 1)[info.real], whole[info.real]):
            yield f"steps of {sizes} tokens become something else than one pass."


def _read(mixer: Mixer, dim: int) -> int:
    """Width of the memory that a mixer of this width reads."""
    return int(getattr(mixer, "memory_dim", dim))


def _close(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=0, atol=CLOSE)


def facts(document: Tensor) -> TokenInfo:
    """Of tokens in rows of documents (batch, length): on a grid of three columns."""
    order = torch.zeros_like(document)
    for number in document[document != PADDING].unique():
        own = document == number
        order[own] = torch.arange(int(own.sum()))
    grid = torch.stack([order // 3, order % 3], -1)
    return TokenInfo(order, grid, document, torch.zeros_like(document), torch.zeros_like(document, dtype=torch.bool))


def _context(info: TokenInfo, width: int, position: Position, whole: TokenInfo | None = None) -> Context:
    """With a memory of this width, two tokens for each document of the rows, the same wherever the document stands."""
    document = (whole or info).document
    numbers = [row[row != PADDING].unique().repeat_interleave(2) for row in document]
    read = torch.full((len(numbers), max(map(len, numbers), default=0)), PADDING)
    for row, own in zip(read, numbers, strict=True):
        row[: len(own)] = own
    table = torch.randn(LARGEST + 1, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return Context(info, position, Memory(TokenSequence(table[read], facts(read))))
