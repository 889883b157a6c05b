"""What any mixer must fulfil: documents, padding and steps are its own business, in each layer."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor

from mmattn.contracts.mixer_rows import DOCUMENTS, LONG, close, context, facts, tokens, width_read
from mmattn.contracts.mixer_steps import has_step, looks_ahead, step_faults
from mmattn.mixers import Mixer
from mmattn.mixers.scanning import Scanning
from mmattn.positions import Position

EMPTY = (0, 3), (2, 0)


def check_mixer(mixer: Mixer, dim: int, position: Position | None = None) -> list[str]:
    """The faults of a mixer of width `dim`, a sentence each; an empty list if it fulfils the contract.

    A copy is tried in float64, with random weights (a gate of 0 would hide all), on tokens of a grid with two axes,
    beside a memory of the same documents; position: where tokens are, by default nowhere. A mixer
    whose `step` raises `ConfigError` has none, which only one that looks ahead may lack.
    """
    mixer, position = randomised(mixer), position or Position()
    stepping = has_step(mixer, dim, position)
    faults = [
        f"{name}: {fault}"
        for name, rows in DOCUMENTS.items()
        for fault in _faults(mixer, dim, torch.tensor(rows), position, stepping)
    ]
    if cut_up(mixer):
        rows = torch.tensor(DOCUMENTS[LONG])
        faults += [f"{LONG}, in pieces: {fault}" for fault in _faults(mixer, dim, rows, position, stepping)]
    for shape in EMPTY:
        info = facts(torch.zeros(shape, dtype=torch.long))
        out = mixer(torch.zeros(*shape, dim, dtype=torch.float64), context(info, width_read(mixer, dim), position))
        if out.shape != (*shape, dim):
            faults.append(f"nothing, {shape}: becomes {tuple(out.shape)}.")
    if not faults and not stepping and not looks_ahead(mixer, dim, position):
        faults.append(
            "step: raises, though no token depends on a later one; only a mixer that looks ahead may lack it."
        )
    return faults


@torch.no_grad()
def randomised(mixer: Mixer) -> Mixer:
    """A copy in float64 whose weights all differ from what they begin with."""
    generator = torch.Generator().manual_seed(2)
    mixer = copy.deepcopy(mixer).double().eval()
    for parameter in mixer.parameters():
        parameter.add_(0.3 * torch.randn(parameter.shape, dtype=parameter.dtype, generator=generator))
    return mixer


def cut_up(mixer: Mixer) -> bool:
    """Let all within that goes through many tokens in pieces take one chunk of one row; says whether there is any."""
    scanning = [each for each in mixer.modules() if isinstance(each, Scanning)]
    for each in scanning:
        each.piece = 1
    return bool(scanning)


def _faults(mixer: Mixer, dim: int, document: Tensor, position: Position, stepping: bool) -> Iterator[str]:
    info, read = facts(document), width_read(mixer, dim)
    generator = torch.Generator().manual_seed(0)
    x = tokens(document, dim, generator).requires_grad_()
    out = mixer(x, context(info, read, position))
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
        context(info, read, position),
    )
    if not torch.equal(out[info.real], other[info.real]):
        yield "what stands at padding changes what tokens become."
    for number in document[info.real].unique():
        row, column = (document == number).nonzero(as_tuple=True)
        alone = mixer(x[row, column][None], context(facts(torch.full((1, len(row)), int(number))), read, position))[0]
        if not close(out[row, column], alone):
            yield f"document {int(number)} becomes something else than it does alone."
    if stepping:
        yield from step_faults(mixer, x.detach(), info, out, position)
