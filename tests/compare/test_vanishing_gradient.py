"""What is asked for after a delay, when claims hold; gradients tell of the path, not of how well a symbol is known."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Generator
from torch.nn.functional import cross_entropy

from mmattn.build import make
from mmattn.compare import Kept
from mmattn.composition.compose import composed_comparison
from mmattn.mixers import Recurrent
from mmattn.why import vanishing_gradient
from mmattn.why.model import SymbolModel
from mmattn.why.recall_tasks import passkey
from mmattn.why.training import Fitted


def test_the_gradient_is_that_of_the_loss_without_the_share_that_is_wrong(monkeypatch):
    monkeypatch.setattr(vanishing_gradient, "DISTANCES", (2, 5))
    torch.manual_seed(0)
    model = SymbolModel(6, 8, ["gru"], {"gru": partial(Recurrent, kind="gru")}).double()
    for distance, norm in zip((2, 5), vanishing_gradient.gradients(model, 6, rows=1), strict=True):
        ids, targets = passkey(Generator().manual_seed(0), 1, 7, distance + 1, 6, blank=True)
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
    _, targets = passkey(Generator().manual_seed(0), 1, 4, 3, 6, blank=True)
    with torch.no_grad():
        model.out.bias[targets[0, -1]] = 200  # the loss is 0, and so is its gradient
    (sure,) = vanishing_gradient.gradients(model, 6, rows=1)
    assert 0.2 < sure / doubting < 5


def test_the_place_of_a_symbol_does_not_tell_it():
    comparison = make(composed_comparison("why/vanishing_gradient", []), "comparison")
    generator = Generator().manual_seed(0)
    lengths = {comparison._delayed(16, 1, generator)[0].shape[1] for _ in range(40)}
    assert min(lengths) >= 18 and len(lengths) > 8


@pytest.mark.parametrize(
    ("near", "far", "holds"),
    [(1.0, 0.1, True), (1.0, 0.9, False), (0.1, 0.1, False)],
    ids=["lost", "kept", "unlearned"],
)
def test_a_recurrent_network_forgets_only_what_it_has_learned_to_recall(near, far, holds):
    comparison = make(composed_comparison("why/vanishing_gradient", []), "comparison")
    first = {"gru": [[1.0, *[0.0] * 10]]}
    trained = {delay: {"gru": [{"right": far if delay == 1024 else near}]} for delay in comparison.delays}
    claims = {claim.claim: claim.holds for claim in comparison._claims(first, trained)}
    assert claims["gru recalls after 8 tokens and not after 1,024"] is holds


def test_the_rate_is_that_with_which_the_shortest_delay_is_learned_best(monkeypatch, tmp_path):
    words = [f"comparison.{each}" for each in ("rates=[0.1,0.2,0.3]", "delays=[2,4]", "dim=16")]
    comparison = make(composed_comparison("why/vanishing_gradient", words), "comparison")
    comparison.mixers = {"gru": comparison.mixers["gru"]}
    tried = []

    def fitted(model, loss, steps, rate, seed):
        tried.append(rate)
        return Fitted([(steps, abs(rate - 0.2))], 0.0)

    monkeypatch.setattr(vanishing_gradient, "fit", fitted)
    monkeypatch.setattr(vanishing_gradient, "DISTANCES", (1, 1023))
    comparison.measure(Kept(tmp_path))
    assert tried == [0.1, 0.2, 0.3, 0.2]
