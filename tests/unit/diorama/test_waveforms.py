"""The closed forms equal the sums they stand for; noise and grains stay in their bands."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from daybreak.diorama.waveforms import HIGHEST, curve, formants, grains, noise, ring, strike, swell, times, tone

RATE = 48000


def power_between(sound: np.ndarray, low: float, high: float) -> float:
    """The part of a sound's energy between two frequencies."""
    energy = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    frequency = np.fft.rfftfreq(len(sound), 1 / RATE)
    return float(energy[(frequency >= low) & (frequency < high)].sum() / energy.sum())


def test_times_counts_samples() -> None:
    assert_allclose(times(0.001, 8000), np.arange(8) / 8000)
    assert len(times(0.0, 8000)) == 1


def test_curve_passes_through_its_knots_and_is_flat_outside() -> None:
    t = np.array((-1.0, 0.0, 0.5, 1.0, 3.0, 9.0))
    assert_allclose(curve(t, (0, 1, 3), (2, 4, -1)), (2, 2, 3, 4, -1, -1))


@pytest.mark.parametrize("tilt", [0.0, 0.3, 0.9, 0.97])
def test_tone_is_the_sum_of_its_harmonics(tilt: float) -> None:
    frequency = curve(times(0.05, RATE), (0, 0.05), (180, 950))
    phase = np.cumsum(frequency) * 2 * np.pi / RATE
    count = int(HIGHEST * RATE / frequency.max())
    harmonics = np.arange(1, count + 1)[:, None]
    expected = (tilt ** (harmonics - 1) * np.sin(harmonics * phase)).sum(0)
    # Past -120 dB the endless series stands for the finite one.
    assert_allclose(tone(frequency, tilt, RATE), expected, atol=2e-5)


def test_tone_has_nothing_above_its_highest_harmonic() -> None:
    sound = tone(np.full(RATE // 4, 2000.0), 0.95, RATE)
    assert power_between(sound, HIGHEST * RATE + 100, RATE) < 1e-9


def test_tone_above_the_nyquist_frequency_is_held_below_it() -> None:
    sound = tone(np.full(RATE // 4, 40_000.0), 0.9, RATE)
    assert power_between(sound, HIGHEST * RATE - 100, HIGHEST * RATE + 100) > 0.999


def test_ring_is_the_sum_of_its_damped_sines() -> None:
    t = times(0.1, RATE)
    sound = ring(t, (300, 710), (0.05, 0.02), (1, 0.4), RATE)
    expected = np.sin(2 * np.pi * 300 * t) * np.exp(-t / 0.05) + 0.4 * np.sin(2 * np.pi * 710 * t) * np.exp(-t / 0.02)
    assert_allclose(sound, expected, atol=1e-10)


def test_ring_leaves_out_modes_that_would_alias() -> None:
    t = times(0.1, 8000)
    assert_allclose(ring(t, (300, 7900), (0.05, 0.05), (1, 1), 8000), ring(t, 300, 0.05, 1, 8000))


def test_noise_has_unit_strength_and_the_documented_slopes() -> None:
    sound = noise(np.random.default_rng(0), 4 * RATE, 1000, 2000, RATE)
    assert sound.std() == pytest.approx(1, abs=0.02)
    frequency = np.arange(1, HIGHEST * RATE)
    expected = 1 / ((1 + (1000 / frequency) ** 4) * (1 + (frequency / 2000) ** 4))
    for low, high in ((0, 500), (500, 1000), (1000, 2000), (2000, 4000), (4000, 8000), (8000, 16000)):
        part = expected[(frequency >= low) & (frequency < high)].sum() / expected.sum()
        assert power_between(sound, low, high) == pytest.approx(part, abs=0.02)
    assert power_between(sound, HIGHEST * RATE + 100, RATE) < 1e-9


def test_noise_channels_are_independent() -> None:
    left, right = noise(np.random.default_rng(0), RATE, 200, 9000, RATE, channels=2)
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.05


def test_grains_start_at_once_and_grow_with_their_rate() -> None:
    t = times(1, RATE)
    few, many = (grains(np.random.default_rng(0), t, rate, 500, 4000, RATE) for rate in (0, 2000))
    assert abs(few[0]) == np.abs(few).max() > 0.05
    assert many.std() > 10 * few.std()


def test_formants_favour_their_centre() -> None:
    source = noise(np.random.default_rng(0), RATE, 50, 10_000, RATE)
    throat = formants(source, ((900, 100, 1),), RATE)
    assert power_between(throat, 700, 1100) > 4 * power_between(source, 700, 1100)


def test_envelopes_start_from_nothing_and_rise_at_once() -> None:
    t = times(0.5, RATE)
    for envelope in (strike(t, 0.005, 0.1), swell(t, 0.005, 0.1)):
        assert envelope[0] == 0
        assert envelope[RATE // 500] > 0.3  # after 2 ms
        assert envelope.min() >= 0
        assert envelope.max() <= 1
    assert swell(t, 0.005, 0.1)[-1] == 0
