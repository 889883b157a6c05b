"""Learning rates over a training, against their definitions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmattn.schedules import WarmupCosine, WarmupStableDecay

SHARES = st.floats(0, 0.5)
KINDS = [lambda warmup: WarmupCosine(warmup, floor=0.1), lambda warmup: WarmupStableDecay(warmup, decay=0.3)]


@pytest.mark.parametrize(("done", "factor"), [(0.0, 0.0), (0.05, 0.5), (0.1, 1.0), (0.55, 0.6), (1.0, 0.2), (1.5, 0.2)])
def test_cosine_rises_and_falls_to_its_floor(done, factor):
    assert WarmupCosine(warmup=0.1, floor=0.2)(done) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("done", "factor"),
    [(0.0, 0.0), (0.1, 0.5), (0.2, 1.0), (0.5, 1.0), (0.75, 1.0), (0.9, 0.4), (1.0, 0.0), (1.5, 0.0)],
)
def test_a_plateau_lies_between_rise_and_fall(done, factor):
    assert WarmupStableDecay(warmup=0.2, decay=0.25)(done) == pytest.approx(factor)


@pytest.mark.parametrize("kind", KINDS)
def test_without_warmup_it_begins_at_the_top(kind):
    assert kind(0.0)(0.0) == 1


@pytest.mark.parametrize("kind", KINDS)
@given(warmup=SHARES, places=st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_it_stays_a_factor_rises_first_and_then_never_again(kind, warmup, places):
    schedule = kind(warmup)
    rising = [schedule(place) for place in sorted(places) if place <= warmup]
    falling = [schedule(place) for place in sorted(places) if place >= warmup]
    assert all(0 <= factor <= 1 for factor in rising + falling)
    assert rising == sorted(rising) and falling == sorted(falling, reverse=True)
