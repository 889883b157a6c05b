"""Which parameters an optimizer moves and how; stopping and going on changes nothing."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch
from torch import nn

from mmattn import AdaptiveBlock, Attention, Backbone, Learned, TokenInfo, TokenSequence
from mmattn.errors import ConfigError
from mmattn.optimizers import adamw, muon
from mmattn.optimizers.adamw import by_decay
from mmattn.optimizers.muon import orthogonal
from mmattn.tokenizers.text import ByteTokenizer

MAKERS = [partial(adamw, learning_rate=1e-2), partial(muon, learning_rate=1e-2)]


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(7, 8)
        self.backbone = Backbone(8, 2, {"main": partial(Attention, heads=2)})
        self.head = nn.Linear(8, 7)

    def forward(self) -> torch.Tensor:
        ids = torch.arange(7)[None]
        tokens = TokenSequence(self.embedding(ids), TokenInfo.from_lengths([7]), ids)
        return nn.functional.cross_entropy(self.head(self.backbone(tokens).embeddings)[0], ids[0].flip(0))


def train(model, optimizer, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        loss = model()
        loss.backward()
        optimizer.step()
    return loss.item()


@pytest.mark.parametrize("shape", [(3, 6, 6), (2, 4, 9), (2, 9, 4)])
def test_orthogonal_keeps_the_directions_and_levels_the_singular_values(shape):
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=torch.float64)
    u, _, v = torch.linalg.svd(x, full_matrices=False)
    inside = u.mT @ orthogonal(x, steps=8) @ v.mT
    levels = inside.diagonal(dim1=-2, dim2=-1)
    assert ((levels > 0.6) & (levels < 1.3)).all()
    torch.testing.assert_close(inside, torch.diag_embed(levels), atol=1e-8, rtol=0)


@pytest.mark.parametrize("make", MAKERS)
def test_every_parameter_is_in_one_group_and_moves(make):
    torch.manual_seed(0)
    model = Model()
    optimizer = make(model)
    listed = [id(p) for group in optimizer.param_groups for p in group["params"]]
    assert sorted(listed) == sorted(id(p) for p in model.parameters())
    before = copy.deepcopy(model.state_dict())
    train(model, optimizer, 2)
    still = [name for name, value in model.state_dict().items() if torch.equal(value, before[name])]
    assert still == []


@pytest.mark.parametrize("make", MAKERS)
def test_only_maps_decay(make):
    model = Model()
    decayed = {id(p) for group in make(model).param_groups if group["weight_decay"] for p in group["params"]}
    names = {name for name, p in model.named_parameters() if id(p) in decayed}
    assert "backbone.blocks.0.mlp.expand.weight" in names and "head.weight" in names
    assert not any(name.endswith("bias") or "norm" in name or "embedding" in name for name in names)


def test_muon_has_the_matrices_of_the_layers_only():
    model = Model()
    (group,) = [group for group in muon(model, learning_rate=1e-2).param_groups if group["muon"]]
    chosen = {id(p) for p in group["params"]}
    names = {name for name, p in model.named_parameters() if id(p) in chosen}
    assert names == {n for n, p in model.named_parameters() if n.startswith("backbone.blocks") and p.ndim == 2}


def test_what_reads_a_condition_is_left_to_adamw():
    model = Backbone(8, 2, {"main": partial(Attention, heads=2)}, block=AdaptiveBlock)
    (group,) = [group for group in muon(model, learning_rate=1e-2).param_groups if group["muon"]]
    chosen = {id(p) for p in group["params"]}
    names = {name for name, p in model.named_parameters() if id(p) in chosen}
    assert "blocks.0.mixer.query.weight" in names and not any("modulation" in name for name in names)


def test_muon_has_the_layers_of_every_backbone_and_the_rest_a_rate_of_its_own():
    model = Model()
    model.encoder = Backbone(8, 1, {"main": partial(Attention, heads=2)})
    optimizer = muon(model, learning_rate=1e-2, other_rate=1e-3)
    assert [group["lr"] for group in optimizer.param_groups] == [1e-2, 1e-3, 1e-3]
    chosen = {id(p) for p in optimizer.param_groups[0]["params"]}
    assert {id(p) for p in model.encoder.blocks.parameters() if p.ndim == 2} < chosen
    with pytest.raises(ConfigError, match=r"optimizer.other_rate=-1 must be a number at least 0"):
        muon(model, learning_rate=1e-2, other_rate=-1)


@pytest.mark.parametrize("make", MAKERS)
def test_it_learns(make):
    torch.manual_seed(0)
    model = Model()
    assert train(model, make(model), 60) < 0.3


@pytest.mark.parametrize("make", MAKERS)
def test_going_on_from_its_state_is_exact(make):
    torch.manual_seed(0)
    model = Model()
    optimizer = make(model)
    train(model, optimizer, 3)
    other = Model()
    other.load_state_dict(model.state_dict())
    resumed = make(other)
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert train(model, optimizer, 3) == train(other, resumed, 3)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))


def test_what_is_not_trained_is_in_no_group():
    for make in MAKERS:
        model = Model()
        model.backbone.blocks[0].requires_grad_(False)
        listed = {id(p) for group in make(model).param_groups for p in group["params"]}
        assert listed == {id(p) for p in model.parameters() if p.requires_grad}
        assert make(nn.Linear(2, 2, bias=False)).param_groups[0]["weight_decay"] > 0  # and no group is empty


def test_places_and_prefix_tokens_do_not_decay():
    model = nn.ModuleDict(
        {"tokenizer": ByteTokenizer(8, prefix=2), "position": Learned(8, [4, 4]), "out": nn.Linear(8, 3)}
    )
    decayed, kept = by_decay(model)
    assert [p.shape for p in decayed] == [(3, 8)]
    assert {tuple(p.shape) for p in kept} == {(2, 8), (259, 8), (4, 4, 8), (3,)}


def one_step(make, gradient):
    """A matrix before and after one step with this gradient."""
    layer = nn.Module()
    layer.weight = nn.Parameter(torch.full_like(gradient, 2.0))
    model = nn.Module()
    model.backbone = Backbone(8, 0, {"main": partial(Attention, heads=2)})
    model.backbone.blocks.append(layer)
    layer.weight.grad = gradient.clone()
    make(model).step()
    return layer.weight.detach()


def test_the_first_step_of_adamw_is_its_rate_in_the_gradients_direction():
    gradient = torch.tensor([[3.0, -0.01], [100.0, -1e-3]])
    moved = one_step(partial(adamw, learning_rate=0.1, weight_decay=0.5), gradient)
    torch.testing.assert_close(moved, 2 * (1 - 0.1 * 0.5) - 0.1 * gradient.sign(), atol=1e-4, rtol=0)


def test_a_step_of_muon_is_orthogonal_and_as_long_as_adamws():
    gradient = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))
    moved = one_step(partial(muon, learning_rate=0.1, weight_decay=0.5), gradient)
    step = (2 * (1 - 0.1 * 0.5) - moved) / 0.1 / (0.2 * 16**0.5)
    torch.testing.assert_close(step, orthogonal(gradient[None])[0], atol=1e-4, rtol=0)
    assert step.norm() ** 2 == pytest.approx(8, rel=0.3)  # eight directions of length 1


@pytest.mark.parametrize("make", MAKERS)
def test_a_matrix_without_a_gradient_stays_and_a_closure_is_called(make):
    torch.manual_seed(0)
    model = Model()
    optimizer = make(model)
    before = copy.deepcopy(model.state_dict())
    optimizer.step()
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())

    def closure():
        optimizer.zero_grad()
        loss = model()
        loss.backward()
        return loss

    assert optimizer.step(closure).requires_grad and not torch.equal(before["head.weight"], model.head.weight)
