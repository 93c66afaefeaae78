from __future__ import annotations

import numpy as np
import pytest

from daybreak.diorama.particles import ALPHA, LENGTH, PX, PZ, RADIUS, Particles, draw_particles, make_particles
from daybreak.diorama.visibility import FORWARD, ORIGIN, RIGHT, TANGENT, UP

TIMES = np.arange(49) / 24


def make(weather: str, times: np.ndarray = TIMES) -> Particles:
    return make_particles(weather, np.random.default_rng(3), times)


def camera() -> np.ndarray:
    row = np.zeros(13)
    row[ORIGIN : ORIGIN + 3] = (0.3, -3.4, 1.0)
    row[RIGHT], row[UP + 2], row[FORWARD + 1], row[TANGENT] = 1, 1, 1, 0.36
    return row


def draw(particles: Particles, height: int, depth: float = 1e9) -> np.ndarray:
    width = height * 7 // 4
    picture = np.zeros((height, width, 3))
    limits = (particles.box, particles.smallest, particles.largest, particles.slant)
    samples = np.full((2 * height, 2 * width), depth)
    draw_particles(picture, samples, particles.rows[0], limits, camera(), height, width, (0, height, 0, width))
    return picture.sum(-1)


@pytest.mark.parametrize("weather", ["clear", "fog"])
def test_clear_and_foggy_air_is_empty(weather: str) -> None:
    assert make(weather).rows.shape == (49, 0, 9)
    assert (draw(make(weather), 64) == 0).all()


@pytest.mark.parametrize("weather", ["rain", "snow", "fireflies", "bubbles", "storm"])
def test_particles_follow_seconds_not_frames(weather: str) -> None:
    twice_as_often = make(weather, np.arange(97) / 48).rows[::2]
    np.testing.assert_array_equal(make(weather).rows, twice_as_often)


@pytest.mark.parametrize(("weather", "speed"), [("rain", 3.6), ("snow", 0.75), ("bubbles", -0.9), ("storm", 5.5)])
def test_rain_and_snow_fall_and_bubbles_rise(weather: str, speed: float) -> None:
    heights = make(weather).rows[..., PZ]
    assert heights.min() >= 0
    steps = (heights[:-1] - heights[1:]) % 5.0
    np.testing.assert_allclose(steps, speed / 24 % 5.0, atol=1e-9)


def test_rain_is_streaks_and_snow_is_round() -> None:
    rain, snow = make("rain").rows, make("snow").rows
    assert (rain[..., LENGTH] > 10 * rain[..., RADIUS]).all()
    np.testing.assert_array_equal(snow[..., LENGTH], snow[..., RADIUS])


def test_the_rain_of_a_storm_is_blown_aside_along_its_streaks() -> None:
    storm = make("storm")
    assert abs(storm.slant) > 0.3
    step = (storm.rows[1, :, PX] - storm.rows[0, :, PX]) / (5.5 / 24)
    np.testing.assert_allclose(step, storm.slant, atol=1e-9)
    assert len(storm.rows[0]) > 1.5 * len(make("rain").rows[0])


def test_fireflies_stay_around_the_scene_and_never_go_out() -> None:
    rows = make("fireflies").rows
    assert np.abs(rows[..., PX]).max() < 3
    assert rows[..., PZ].min() > 0
    assert rows[..., ALPHA].min() >= 0.4


@pytest.mark.parametrize(
    ("weather", "pixels"), [("rain", 2.0), ("snow", 4.0), ("fireflies", 10.0), ("bubbles", 4.0), ("storm", 2.0)]
)
def test_no_particle_is_thinner_than_a_codec_can_keep(weather: str, pixels: float) -> None:
    assert 2 * make(weather).smallest * 256 >= pixels


@pytest.mark.parametrize("weather", ["rain", "snow", "fireflies", "bubbles", "storm"])
def test_particles_look_alike_at_two_sizes(weather: str) -> None:
    small = draw(make(weather), 128).reshape(32, 4, 56, 4).mean((1, 3))
    large = draw(make(weather), 256).reshape(32, 8, 56, 8).mean((1, 3))
    assert small.max() > 0.1
    assert small.sum() == pytest.approx(large.sum(), rel=0.03)
    assert np.abs(small - large).mean() < 0.15 * large.mean()


def test_particles_behind_everything_are_hidden() -> None:
    assert draw(make("snow"), 64).max() > 0
    assert draw(make("snow"), 64, depth=0.4).max() == 0


def test_rain_and_snow_surround_a_camera_that_is_far_away() -> None:
    particles = make("snow")
    moved = camera()
    moved[ORIGIN] += 100 * particles.box
    near, far = np.zeros((64, 112, 3)), np.zeros((64, 112, 3))
    limits = (particles.box, particles.smallest, particles.largest, particles.slant)
    samples = np.full((128, 224), 1e9)
    draw_particles(near, samples, particles.rows[0], limits, camera(), 64, 112, (0, 64, 0, 112))
    draw_particles(far, samples, particles.rows[0], limits, moved, 64, 112, (0, 64, 0, 112))
    np.testing.assert_allclose(near, far, atol=1e-6)
