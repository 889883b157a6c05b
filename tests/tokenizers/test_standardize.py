"""Mean and deviation: measured as numpy does, given or restored, and undone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmattn.errors import ConfigError
from mmattn.tokenizers.standardize import Standardize, evenly


def contents(*lengths, channels=3):
    generator = torch.Generator().manual_seed(0)
    scale = torch.arange(1.0, channels + 1)[:, None]
    return [torch.randn(channels, length, generator=generator) * scale + 10 * scale for length in lengths]


def test_it_measures_all_values_of_all_samples():
    parts, found = contents(5, 1, 200), Standardize(3)
    found.fit(parts)
    values = torch.cat(parts, 1).double().numpy()
    assert found.mean[:, 0].tolist() == pytest.approx(values.mean(1).tolist(), rel=1e-6)
    assert found.std[:, 0].tolist() == pytest.approx(values.std(1).tolist(), rel=1e-6)
    out = found(torch.cat(parts, 1))
    assert out.mean(1).abs().max() < 1e-5 and (out.std(1, unbiased=False) - 1).abs().max() < 1e-5


def test_small_deviations_far_from_zero_are_measured():
    values = torch.tensor([[1000.0, 1000.01] * 50])
    found = Standardize(1)
    found.fit([values])
    assert found.std.item() == pytest.approx(np.float64(values.numpy()).std(), rel=1e-3)


def test_a_constant_channel_keeps_deviation_one():
    found = Standardize(2)
    found.fit([torch.tensor([[3.0, 3.0], [0.0, 2.0]])])
    assert found.state() == {"mean": [3.0, 1.0], "std": [1.0, 1.0]}
    assert found(torch.tensor([[3.0], [2.0]])).tolist() == [[0.0], [1.0]]


def test_what_is_given_is_not_measured():
    for mean in (0.5, [0.5, 0.5, 0.5]):
        found = Standardize(3, mean, 2)
        found.fit(contents(4))
        assert found.state() == {"mean": [0.5] * 3, "std": [2.0] * 3}


@given(st.integers(1, 3), st.sampled_from([torch.float32, torch.float64]))
def test_the_inverse_undoes_it(channels, dtype):
    found = Standardize(channels).to(dtype)
    found.fit(contents(7, channels=channels))
    x = contents(4, channels=channels)[0].to(dtype)
    torch.testing.assert_close(found.inverse(found(x)), x, atol=1e-4, rtol=0)
    assert found(x).dtype == dtype and found(x.expand(2, channels, 4)).shape == (2, channels, 4)


def test_a_state_is_restored_and_is_in_no_checkpoint():
    source, target = Standardize(2), Standardize(2)
    source.fit(contents(9, channels=2))
    target.restore_state(source.state())
    assert target.state() == source.state() and source.state_dict() == {}
    fresh = Standardize(2)
    fresh.restore_state({})
    for use in (fresh, fresh.inverse):
        with pytest.raises(ConfigError, match="knows no mean and deviation yet: call fit"):
            use(torch.zeros(2, 1))
    assert fresh.state() == {}


@pytest.mark.parametrize("samples", [[], [torch.zeros(2, 0)]])
def test_nothing_to_measure_is_an_error(samples):
    with pytest.raises(ConfigError, match="no training sample to measure .* give tokenizer.mean and tokenizer.std"):
        Standardize(2).fit(samples)


@given(st.integers(0, 50), st.integers(1, 20))
def test_an_even_choice_has_no_item_twice(count, most):
    chosen = evenly(range(count), most)
    assert len(chosen) == min(count, most) == len(set(chosen)) and chosen == sorted(chosen)
    steps = {later - earlier for earlier, later in zip(chosen, chosen[1:], strict=False)}
    assert not chosen or (chosen[0] == 0 and len(steps) <= 2 and max(steps, default=0) - min(steps, default=0) <= 1)
