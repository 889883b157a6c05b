"""A user's own pattern works in every kernel, in a backbone and in combinations."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch

from mmattn import Attention, Causal, ConfigError, Pattern, TokenInfo, TokenSequence, Visibility
from mmattn.patterns import axis, divisible
from tests.core.asking import HERE, asked
from tests.core.examples import backbone


@dataclass(frozen=True)
class Neighbourhood(Pattern):
    """|Δrow| ≤ radius and |Δcolumn| ≤ radius"""

    radius: int

    def allows(self, query, key):
        row = axis(query.coordinates, 0) - axis(key.coordinates, 0)
        column = axis(query.coordinates, 1) - axis(key.coordinates, 1)
        near = (row <= self.radius) & (row >= -self.radius)
        return near & (column <= self.radius) & (column >= -self.radius)


@dataclass(frozen=True)
class Strided(Pattern):
    """The distance is a multiple of the stride."""

    stride: int

    def allows(self, query, key):
        return divisible(query.order - key.order, self.stride)


GRID = torch.cartesian_prod(torch.arange(3), torch.arange(4))
OWN = {
    "2-D": (Neighbourhood(1), lambda i, j: (GRID[i] - GRID[j]).abs().max() <= 1),
    "strided": (Strided(3), lambda i, j: (i - j) % 3 == 0),
    "strided and causal": (Strided(2) & Causal(), lambda i, j: (i - j) % 2 == 0 and j <= i),
    "later or itself": (~Causal() | Neighbourhood(0), lambda i, j: j >= i),
}
INFO = TokenInfo.from_lengths([12], coordinates=GRID[None])


@pytest.mark.parametrize("name", OWN)
def test_its_mask_is_what_it_says(name):
    pattern, sees = OWN[name]
    expected = [[bool(sees(i, j)) for j in range(12)] for i in range(12)]
    assert Visibility(pattern, INFO).mask[0, 0].tolist() == expected


@pytest.mark.parametrize("kernel", HERE)
@pytest.mark.parametrize("name", OWN)
def test_every_kernel_obeys_it(name, kernel):
    pattern, sees = OWN[name]
    query, key, value = torch.randn(3, 1, 2, 12, 8, dtype=torch.float64)
    out = asked(kernel, query, key, value, Visibility(pattern, INFO), 0.5)
    for i in range(12):
        seen = [j for j in range(12) if sees(i, j)]
        weights = (query[:, :, i : i + 1] @ key[:, :, seen].mT * 0.5).softmax(-1)
        torch.testing.assert_close(out[:, :, i : i + 1], weights @ value[:, :, seen], atol=1e-12, rtol=0)


def test_a_mask_is_built_once_for_equal_patterns(monkeypatch):
    built = []
    allows = Neighbourhood.allows
    monkeypatch.setattr(Neighbourhood, "allows", lambda *args: built.append(args) or allows(*args))
    model = backbone(Causal())
    for block in model.blocks:
        assert isinstance(block.mixer, Attention)
        block.mixer.pattern = Neighbourhood(1)
    model(TokenSequence(torch.randn(1, 12, 16, dtype=torch.float64), INFO))
    assert len(model.blocks) == 2 and len(built) == 1


def test_an_axis_that_tokens_lack_is_an_error():
    with pytest.raises(ConfigError, match="have 1 coordinate axes; axis 1 does not exist"):
        _ = Visibility(Neighbourhood(1), TokenInfo.from_lengths([3])).mask
