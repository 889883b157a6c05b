"""What the tests of mixers do with any of them."""

from __future__ import annotations

import torch

from mmattn import Position
from mmattn.context import Context


def in_steps(model, x, info, sizes):
    """x (batch, length, dim) in steps of so many tokens → what they give together, the same shape."""
    state, outs, start = None, [], 0
    for size in sizes:
        places = torch.arange(start, start + size).expand(len(x), -1)
        out, state = model.step(x[:, start : start + size], Context(info.pick(places), Position()), state)
        outs.append(out)
        start += size
    return torch.cat(outs, 1)


def check_documents_alone(model, reference, x, info):
    """Outputs and gradients of each document in x (batch, length, dim) are those of `reference(its tokens)`."""
    x.requires_grad_()
    out, inputs = model(x, Context(info, Position())), (x, *model.parameters())
    for document in info.document[info.real].unique():
        own = info.document == document
        expected = reference(x[own])
        torch.testing.assert_close(out[own], expected, atol=1e-12, rtol=0)
        probe = torch.randn_like(expected)
        gradients = [
            torch.autograd.grad((each * probe).sum(), inputs, retain_graph=True) for each in (out[own], expected)
        ]
        for one, other in zip(*gradients, strict=True):
            torch.testing.assert_close(one, other, atol=1e-12, rtol=0)
