"""Gradients that are compared tell of the path, not of how well the symbol at its end is known."""

from __future__ import annotations

from functools import partial

import torch
from torch import Generator
from torch.nn.functional import cross_entropy

from mmattn.mixers import Recurrent
from mmattn.why import vanishing_gradient
from mmattn.why.model import SymbolModel
from mmattn.why.recall_tasks import passkey


def test_the_gradient_is_that_of_the_loss_without_the_share_that_is_wrong(monkeypatch):
    monkeypatch.setattr(vanishing_gradient, "DISTANCES", (2, 5))
    torch.manual_seed(0)
    model = SymbolModel(6, 8, ["gru"], {"gru": partial(Recurrent, kind="gru")}).double()
    for distance, norm in zip((2, 5), vanishing_gradient.gradients(model, 6, rows=1), strict=True):
        ids, targets = passkey(Generator().manual_seed(0), 1, 7, distance + 1, 6)
        embeddings = model.embed(ids).detach().requires_grad_()
        loss = cross_entropy(model.out(model.states(embeddings)[:, -1]), targets[:, -1])
        wrong = 1 - (-loss.detach()).exp()
        (gradient,) = torch.autograd.grad(loss, embeddings)
        torch.testing.assert_close(norm, float(gradient[0, -1 - distance].norm() / wrong))


def test_it_does_not_vanish_where_the_symbol_is_known(monkeypatch):
    monkeypatch.setattr(vanishing_gradient, "DISTANCES", (2,))
    torch.manual_seed(0)
    model = SymbolModel(6, 8, ["gru"], {"gru": partial(Recurrent, kind="gru")})
    (doubting,) = vanishing_gradient.gradients(model, 6, rows=1)
    _, targets = passkey(Generator().manual_seed(0), 1, 4, 3, 6)
    with torch.no_grad():
        model.out.bias[targets[0, -1]] = 200  # the loss is 0, and so is its gradient
    (sure,) = vanishing_gradient.gradients(model, 6, rows=1)
    assert 0.2 < sure / doubting < 5
