"""Every subject has a voice, and the voices differ the way the subjects do."""

import numpy as np
import pytest

from daybreak.diorama.scene import SUBJECTS
from daybreak.diorama.voices import VOICES, chirp

RATE = 24000


def brightness(sound: np.ndarray) -> float:
    """The mean frequency of a sound, weighted by energy, in Hz."""
    energy = np.abs(np.fft.rfft(sound)) ** 2
    return float((energy * np.fft.rfftfreq(len(sound), 1 / RATE)).sum() / energy.sum())


def mean_brightness(kind: str) -> float:
    return float(np.mean([brightness(VOICES[kind](np.random.default_rng(seed), RATE)) for seed in range(4)]))


def test_every_subject_has_a_voice() -> None:
    assert set(VOICES) == set(SUBJECTS)


@pytest.mark.parametrize("kind", SUBJECTS)
def test_a_voice_is_finite_and_short_and_never_twice_the_same(kind: str) -> None:
    first, again, other = (VOICES[kind](np.random.default_rng(seed), RATE) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first[:1000], other[:1000])
    assert np.isfinite(first).all()
    assert 0.1 < len(first) / RATE < 2


def test_small_subjects_sound_higher_than_large_ones() -> None:
    order = ["ball", "bear", "dog", "elephant", "rabbit", "bird"]
    heights = [mean_brightness(kind) for kind in order]
    assert heights == sorted(heights)


def test_a_chirp_stays_in_the_bird_range() -> None:
    for seed in range(8):
        assert 2500 < brightness(chirp(np.random.default_rng(seed), RATE)) < 6500
