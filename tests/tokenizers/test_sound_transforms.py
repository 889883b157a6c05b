"""Variations of sound stay within what they promise, and draw from one generator."""

from __future__ import annotations

import pytest
import torch

from mmattn.tokenizers.randomness import drawn_from
from mmattn.tokenizers.sound_transforms import RandomGain, RandomNoise, RandomShift, SpecAugment
from tests.tokenizers.examples import tone

SOUND = tone(0.25, 8000, channels=2)
TRANSFORMS = [RandomGain(), RandomShift(), RandomNoise()]


def varied(transform, seed):
    with drawn_from(torch.Generator().manual_seed(seed)):
        return transform(SOUND).samples


def decibels(ratio):
    return 20 * torch.log10(ratio)


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda each: type(each).__name__)
def test_a_variation_depends_on_its_seed_alone(transform):
    before, raw = torch.get_rng_state(), SOUND.samples.clone()
    assert torch.equal(varied(transform, 1), varied(transform, 1))
    assert not torch.equal(varied(transform, 1), varied(transform, 2))
    assert torch.equal(torch.get_rng_state(), before) and torch.equal(SOUND.samples, raw)
    assert transform(SOUND).rate == 8000 and transform(SOUND).samples.shape == SOUND.samples.shape


def test_the_generator_goes_on_and_is_restored_after_an_error():
    generator, before = torch.Generator().manual_seed(0), torch.get_rng_state()
    draws = []
    for _ in range(2):
        with drawn_from(generator):
            draws.append(float(torch.rand(())))
    with pytest.raises(ZeroDivisionError), drawn_from(generator):
        torch.rand(9), 1 / 0
    assert draws[0] != draws[1] and torch.equal(torch.get_rng_state(), before)


def test_gain_changes_the_level_alone_and_by_so_many_decibels():
    ratios = torch.stack([(varied(RandomGain(6), seed) / SOUND.samples) for seed in range(60)]).flatten(1)
    assert (ratios.amax(1) - ratios.amin(1)).max() < 1e-3
    levels = decibels(ratios.mean(1))
    assert levels.abs().max() <= 6.01 and levels.min() < -4 and levels.max() > 4


def test_a_shift_is_a_rotation_of_at_most_so_many_seconds():
    shifts = set()
    for seed in range(40):
        found = varied(RandomShift(0.005), seed)
        shifts |= {n for n in range(-60, 61) if torch.equal(found, SOUND.samples.roll(n, -1))}
    assert min(shifts) < -20 and max(shifts) > 20 and max(map(abs, shifts)) <= 40  # 0.005 s of 8,000 a second
    assert torch.equal(varied(RandomShift(0), 1), SOUND.samples)


def test_noise_is_as_far_below_the_sound_as_said():
    for seed in range(20):
        noise = varied(RandomNoise(10, 30), seed) - SOUND.samples
        below = decibels(SOUND.samples.square().mean().sqrt() / noise.square().mean().sqrt())
        assert 9.5 < below < 30.5 and noise.mean().abs() < 0.1 * noise.std()


def stretches(hidden):
    """Lengths of runs of True."""
    runs = "".join("x" if each else " " for each in hidden.tolist()).split()
    return list(map(len, runs))


@pytest.mark.parametrize("masks", [1, 2])
def test_masks_hide_whole_frames_and_bands_up_to_their_width(masks):
    features, seen = torch.randn(100, 40), []
    for seed in range(20):
        torch.manual_seed(seed)
        out = SpecAugment(time=12, frequency=6, masks=masks, share=0.5)(features, -7.0)
        hidden = out == -7
        assert torch.equal(out[~hidden], features[~hidden])
        frames, bands = hidden.all(1), hidden.all(0)
        assert torch.equal(hidden, frames[:, None] | bands[None])
        assert int(frames.sum()) <= 12 * masks and int(bands.sum()) <= 6 * masks
        assert len(stretches(frames)) <= masks and len(stretches(bands)) <= masks
        seen.append((int(frames.sum()), int(bands.sum())))
    assert len(set(seen)) > 10


def test_masks_of_no_width_hide_nothing_and_short_clips_keep_most():
    features = torch.randn(10, 40)
    assert torch.equal(SpecAugment(time=0, frequency=0)(features, 0.0), features)
    for seed in range(20):
        torch.manual_seed(seed)
        hidden = SpecAugment(time=50, frequency=0, masks=1, share=0.2)(features, -7.0) == -7
        assert int(hidden.all(1).sum()) <= 2
