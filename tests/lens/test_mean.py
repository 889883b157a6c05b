"""Means over layers, heads and steps, taken while a model samples or afterwards."""

from __future__ import annotations

import pytest
import torch

from mmattn import ConfigError
from mmattn.lens import Mean, capture
from tests.core.examples import LAYOUTS, facts
from tests.lens.examples import READ, both, tokens

FIRST, SECOND = "blocks.1.mixer", "blocks.3.mixer"  # both read the memory


def sample(model, steps=3):
    for step in range(steps):
        model(tokens(facts(LAYOUTS["packed"]), step), tokens(READ, 9))


def test_a_mean_is_the_mean_of_the_maps_that_it_names():
    model = both(depth=4)
    with capture(model) as maps:
        sample(model)
    stack = torch.stack([torch.stack([r.weights() for r in maps[name]]) for name in (FIRST, SECOND)])
    close = {"atol": 1e-12, "rtol": 0}
    torch.testing.assert_close(maps.mean([FIRST, SECOND]), stack.mean((0, 1, 3)), **close)
    assert torch.equal(maps.mean("blocks.[13].*"), maps.mean([SECOND, FIRST]))
    torch.testing.assert_close(maps.mean(SECOND, heads=[1]), stack[1, :, :, 1].mean(0), **close)
    part = maps.mean(FIRST, steps=slice(1, None), queries=[4, 0], keys=slice(2, 5))
    torch.testing.assert_close(part, stack[0, 1:].mean((0, 2))[:, [4, 0], 2:5], **close)


def test_a_mean_taken_on_the_fly_is_the_same_and_no_record_is_kept():
    model = both(depth=4)
    with capture(model, [FIRST, SECOND]) as maps:
        sample(model)
    mean = Mean(heads=[0, 2], keys=[1, 2])
    with capture(model, [FIRST, SECOND], reduce=mean) as reduced:
        sample(model)
    torch.testing.assert_close(mean.value, maps.mean(heads=[0, 2], keys=[1, 2]), atol=1e-12, rtol=0)
    assert mean.count == 6 and reduced[FIRST] == [] and reduced.calls == {FIRST: 3, SECOND: 3}


def test_whatever_reduce_returns_is_kept():
    model = both()
    with capture(model, FIRST, reduce=lambda record: record.weights(keys=0).amax()) as maps:
        sample(model)
    assert len(maps[FIRST]) == 3 and all(each.ndim == 0 for each in maps[FIRST])
    with pytest.raises(ConfigError, match="holds what `reduce` made"):
        maps.mean()


def test_means_that_cannot_be_say_why():
    model = both()
    with capture(model) as maps:
        sample(model, 1)
    with pytest.raises(ConfigError, match=r"'blocks.1.mixer', step 0, has a map .* \(2, 6, 7\), .* before \(2, 6, 6\)"):
        maps.mean()
    with pytest.raises(ConfigError, match="layers='blocks.9.*' was not captured; the nearest: 'blocks"):
        maps.mean("blocks.9.*")
    with pytest.raises(ConfigError, match="2 × 6 × 7 weights"):
        maps.mean(FIRST, limit=100)
    with pytest.raises(ConfigError, match="steps=1 does not exist: 'blocks.1.mixer' has 1 steps"):
        maps.mean(FIRST, steps=1)
    with pytest.raises(ConfigError, match="no mean of no maps"):
        Mean().value  # noqa: B018
