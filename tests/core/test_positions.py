"""Positions: what each tells a model, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmattn import ConfigError, Learned, Position, Rotary, Sinusoidal, TokenInfo
from mmattn.positions import rotate


def at(*places: tuple[int, ...]) -> TokenInfo:
    """One row of tokens at these grid places."""
    return TokenInfo.from_lengths([len(places)], coordinates=torch.tensor([list(places)]))


def scores(position: Position, info: TokenInfo, head_dim: int = 16) -> torch.Tensor:
    x = torch.randn(1, 1, len(info.order[0]), head_dim, generator=torch.Generator().manual_seed(0)).double()
    turned = rotate(x, position.rotation(info, head_dim))
    return turned @ turned.mT


GRIDS = st.integers(1, 3).flatmap(
    lambda axes: st.lists(st.tuples(*[st.integers(0, 60)] * axes), min_size=2, max_size=4)
)


@settings(max_examples=30, deadline=None)
@given(GRIDS, st.integers(0, 60))
def test_rotary_scores_depend_on_differences_only(places, shift):
    position, info = Rotary(len(places[0]), 100.0), at(*places)
    moved = replace(info, coordinates=info.coordinates + shift)
    torch.testing.assert_close(scores(position, info), scores(position, moved), atol=1e-4, rtol=0)  # float32 tables


def test_rotary_is_the_complex_product():
    info, x = at((0,), (3,), (10,)), torch.randn(1, 2, 3, 8).double()
    angle = torch.tensor([0.0, 3.0, 10.0]).double()[:, None] * 100.0 ** -(torch.arange(4).double() / 4)
    expected = torch.complex(x[..., :4], x[..., 4:]) * torch.polar(torch.ones_like(angle), angle)
    out = rotate(x, Rotary(1, 100.0).rotation(info, 8))
    torch.testing.assert_close(out, torch.cat([expected.real, expected.imag], -1), atol=1e-5, rtol=0)


def test_rotary_sees_each_axis_its_scale_and_no_place():
    pair = at((2, 3), (4, 8))
    base = scores(Rotary(2), pair)
    for axis in (0, 1):
        moved = pair.coordinates.clone()
        moved[0, 1, axis] += 2
        assert (scores(Rotary(2), replace(pair, coordinates=moved)) - base).abs().max() > 0.01
    doubled = replace(pair, coordinates=pair.coordinates * 2)
    assert torch.equal(scores(Rotary(2, scales=[2, 2]), pair), scores(Rotary(2), doubled))
    assert torch.equal(scores(Rotary(2), at((-1, -1), (-1, -1))), scores(Position(), pair))


def test_sinusoidal_is_the_published_table():
    info = at((0,), (1,), (5,), (-1,))
    out = Sinusoidal().embed(torch.zeros(1, 4, 6), info)[0]
    angle = torch.tensor([0.0, 1.0, 5.0])[:, None] * 10_000.0 ** -(torch.arange(3) / 3)
    torch.testing.assert_close(out[:3], torch.cat([angle.sin(), angle.cos()], -1))
    assert (out[3] == 0).all()


def test_sinusoidal_gives_each_axis_a_share():
    out = Sinusoidal(2).embed(torch.zeros(1, 3, 8), at((0, 0), (4, 0), (0, 4)))[0]
    changed = (out[1:] != out[0]).tolist()
    assert not any(one and other for one, other in zip(*changed, strict=True)) and all(map(any, changed))


@pytest.mark.parametrize("grid", [[4], [2, 3], [2, 3, 4]], ids=str)
def test_learned_has_a_vector_for_every_place(grid):
    position = Learned(5, grid)
    places = torch.cartesian_prod(*map(torch.arange, grid)).view(-1, len(grid))
    info = at(*map(tuple, places.tolist()), (-1,) * len(grid))
    out = position.embed(torch.ones(1, len(places) + 1, 5), info)[0]
    for place, vector in zip(places.tolist(), out[:-1], strict=True):
        assert torch.equal(vector, position.table[tuple(place)] + 1)
    assert (out[-1] == 1).all()


@pytest.mark.parametrize(("small", "large"), [([3], [7]), ([2, 3], [4, 6]), ([2, 2, 2], [4, 4, 3])], ids=str)
def test_learned_is_resized_on_load(small, large):
    source, target = Learned(4, small).double(), Learned(4, large).double()
    with torch.no_grad():
        source.table.copy_(torch.arange(4.0))  # the same at every place stays the same
    target.load_state_dict(source.state_dict())
    torch.testing.assert_close(target.table, torch.arange(4.0).double().expand(*large, 4), atol=1e-5, rtol=0)
    back = Learned(4, large)
    back.load_state_dict(target.state_dict())
    torch.testing.assert_close(back.table.double(), target.table)
    with pytest.raises(RuntimeError, match="size mismatch"):
        Learned(4, [2, 2] if len(small) == 1 else [4]).load_state_dict(source.state_dict())


def test_learned_refuses_a_token_outside_its_grid_but_not_padding():
    with pytest.raises(ConfigError, match=r"needs \[3\] places .*position.grid; where it is a context"):
        Learned(4, [2]).embed(torch.zeros(1, 3, 4), at((0,), (1,), (2,)))
    with pytest.raises(ConfigError, match=r"needs \[2, 4\] places"):  # within the table's length, outside its grid
        Learned(4, [9, 3]).embed(torch.zeros(1, 2, 4), at((0, 3), (1, 0)))
    info = TokenInfo.from_lengths([2], length=3, coordinates=torch.tensor([[[0], [1], [99]]]))
    position = Learned(4, [2])
    out = position.embed(torch.zeros(1, 3, 4), info)
    assert torch.equal(out[0, :2], position.table) and (out[0, 2] == 0).all()


def test_axes_that_do_not_fit_are_errors():
    info = at((0, 0))
    for position in (Rotary(1), Rotary(3)):
        with pytest.raises(ConfigError, match="set position.axes=2"):
            position.rotation(info, 8)
    for position in (Sinusoidal(1), Learned(8, [4])):
        with pytest.raises(ConfigError, match="axes"):
            position.embed(torch.zeros(1, 1, 8), info)
    with pytest.raises(ConfigError, match="head width of 2 cannot be turned along 2 axes"):
        Rotary(2).rotation(info, 2)
    with pytest.raises(ConfigError, match="a width of 3 holds no wave"):
        Sinusoidal(2).embed(torch.zeros(1, 1, 3), info)
    with pytest.raises(ConfigError, match="scales has 1 entries for 2 axes"):
        Rotary(2, scales=[1.0])
    with pytest.raises(ConfigError, match="1 to 3 are possible"):
        Learned(8, [2, 2, 2, 2])
