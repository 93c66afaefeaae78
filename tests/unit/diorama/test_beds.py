"""Beds: the right length and level, no click at either end, the character that their name says."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from daybreak.diorama.beds import BEDS, make_bed, pan_gains, scene_beds
from daybreak.diorama.scene import SceneSpec, Subject

RATE = 16000


def bed(name: str, seconds: float = 2.0, seed: int = 0) -> np.ndarray:
    return make_bed(name, np.random.default_rng(seed), round(seconds * RATE), RATE)


def test_pan_keeps_the_power_constant() -> None:
    for pan in np.linspace(-1, 1, 21):
        assert np.square(pan_gains(pan)).sum() == pytest.approx(1)
    assert_allclose(pan_gains(-1), (1, 0), atol=1e-12)
    assert_allclose(pan_gains(0), (0.5**0.5, 0.5**0.5))
    assert_allclose(pan_gains(1), (0, 1), atol=1e-12)


@pytest.mark.parametrize("name", BEDS)
def test_a_bed_fills_its_time_and_fades_at_both_ends(name: str) -> None:
    sound = bed(name)
    assert sound.shape == (2, 2 * RATE)
    assert np.isfinite(sound).all()
    assert 0.003 < sound.std() < 0.15
    assert np.abs(sound).max() < 0.8
    assert np.all(sound[:, [0, -1]] == 0)
    ends = np.concatenate((sound[:, :80], sound[:, -80:]))  # 5 ms
    assert np.abs(ends).max() < 0.05 * np.abs(sound).max() + 1e-3


@pytest.mark.parametrize("name", BEDS)
def test_a_bed_comes_from_its_seed(name: str) -> None:
    assert np.array_equal(bed(name, 1, seed=3), bed(name, 1, seed=3))
    assert not np.array_equal(bed(name, 1, seed=3), bed(name, 1, seed=4))


@pytest.mark.parametrize("name", BEDS)
@pytest.mark.parametrize("samples", [1, 2, 37])
def test_a_bed_may_be_a_few_samples_long(name: str, samples: int) -> None:
    sound = make_bed(name, np.random.default_rng(0), samples, RATE)
    assert sound.shape == (2, samples)
    assert np.isfinite(sound).all()


def test_beds_differ_in_brightness_as_their_sources_do() -> None:
    frequency = np.fft.rfftfreq(2 * RATE, 1 / RATE)

    def centre(name: str) -> float:
        energy = np.abs(np.fft.rfft(bed(name)[0])) ** 2
        return float((energy * frequency).sum() / energy.sum())

    order = ["engine", "wind", "waves", "rain"]
    assert [centre(name) for name in order] == sorted(centre(name) for name in order)
    assert 4000 < centre("crickets") < 5000


def test_flaps_come_six_or_seven_times_a_second() -> None:
    power = np.square(bed("flap", 4)).sum(0).reshape(-1, RATE // 100).sum(1)  # 10 ms steps
    rhythm = np.abs(np.fft.rfft(power - power.mean()))
    assert 5.9 < np.argmax(rhythm) / 4 < 7.1


@pytest.mark.parametrize(
    ("scene", "beds"),
    [
        ({"environment": "meadow", "time_of_day": "noon"}, ("birds",)),
        ({"environment": "forest", "time_of_day": "night"}, ("crickets",)),
        ({"environment": "forest", "weather": "rain"}, ("rain",)),
        ({"environment": "beach", "weather": "rain"}, ("rain", "waves")),
        ({"environment": "desert"}, ("wind",)),
        ({"environment": "town"}, ()),
        ({"environment": "city", "weather": "rain"}, ("rain", "traffic")),
        ({"environment": "underwater"}, ("bubbles",)),
        ({"environment": "meadow", "weather": "storm"}, ("rain", "thunder", "wind")),
        ({"environment": "room", "weather": "rain"}, ()),
        ({"environment": "moon", "weather": "snow"}, ()),
    ],
)
def test_a_scene_is_heard_with_its_place_and_weather(scene: dict[str, Any], beds: tuple[str, ...]) -> None:
    assert scene_beds(SceneSpec((Subject("dog", "brown"),), **scene)) == beds


def test_subjects_bring_their_own_beds_once() -> None:
    cars = Subject("car", "red", action="drive"), Subject("car", "blue", action="drive")
    assert scene_beds(SceneSpec(cars, "behind", environment="town")) == ("engine",)
    assert scene_beds(SceneSpec((Subject("car", "red"),), environment="town")) == ()
    pair = Subject("bird", "blue", action="fly"), Subject("robot", "white", action="walk")
    assert scene_beds(SceneSpec(pair, "above", environment="moon")) == ("flap", "motor")
