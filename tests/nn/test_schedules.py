"""Learning-rate schedules against their formulas."""

import math

import pytest

from skgru._nn.schedules import Adaptive, Constant, Cosine, InverseScaling

INITIALS = pytest.mark.parametrize("initial", [1e-3, 0.1, 1.0])
PROGRESS = [i / 20 for i in range(21)]


@INITIALS
def test_constant_is_the_initial_rate_and_stops_when_stalled(initial):
    schedule = Constant(initial)
    for progress in PROGRESS:
        assert schedule.rate(progress, int(1000 * progress)) == initial
    assert schedule.stalled() is True
    assert schedule.rate(1, 1000) == initial


@pytest.mark.parametrize("power", [0, 0.25, 0.5, 1, 2])
@INITIALS
def test_inverse_scaling_follows_the_samples_seen(initial, power):
    schedule = InverseScaling(initial, power)
    for seen in (0, 1, 9, 99, 12345):
        for progress in (0, 0.5, 1):
            expected = initial * math.exp(-power * math.log(seen + 1))
            assert schedule.rate(progress, seen) == pytest.approx(expected, rel=1e-13)
    assert schedule.rate(0, 0) == initial
    assert schedule.stalled() is True


@INITIALS
def test_adaptive_divides_by_five_at_each_stall_and_stops_at_a_millionth(initial):
    schedule = Adaptive(initial)
    expected = initial
    while expected > 1e-6:
        assert schedule.rate(0.3, 100) == pytest.approx(expected, rel=1e-12)
        assert schedule.rate(0.6, 200) == pytest.approx(expected, rel=1e-12)
        assert schedule.stalled() is False
        expected /= 5
    assert schedule.rate(0.9, 300) == pytest.approx(expected, rel=1e-12)
    assert schedule.stalled() is True
    assert schedule.rate(1, 400) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("initial", [1e-6, 1e-7])
def test_adaptive_with_a_tiny_rate_stops_at_once(initial):
    schedule = Adaptive(initial)
    assert schedule.stalled() is True
    assert schedule.rate(0, 0) == initial


@pytest.mark.parametrize("warmup", [0, 0.05, 0.1, 0.5, 1])
@INITIALS
def test_cosine_rises_linearly_and_falls_along_half_a_cosine(initial, warmup):
    schedule = Cosine(initial, warmup)
    for progress in PROGRESS:
        if progress < warmup:
            share = progress / warmup
        elif progress == 1:
            share = 0
        else:
            share = math.cos(math.pi / 2 * (progress - warmup) / (1 - warmup)) ** 2
        assert schedule.rate(progress, 0) == pytest.approx(initial * share, rel=1e-12, abs=1e-15)
    assert schedule.stalled() is True


def test_cosine_at_its_corners():
    schedule = Cosine(2.0, 0.1)
    assert schedule.rate(0, 0) == 0
    assert schedule.rate(0.05, 0) == pytest.approx(1)
    assert schedule.rate(0.1, 0) == 2
    assert schedule.rate(0.55, 0) == pytest.approx(1)
    assert schedule.rate(1, 0) == 0
    assert Cosine(2.0, 0).rate(0, 0) == 2


@pytest.mark.parametrize("warmup", [0, 0.1, 1])
def test_cosine_is_zero_when_training_goes_on_beyond_its_end(warmup):
    assert Cosine(1.0, warmup).rate(1.25, 0) == 0
