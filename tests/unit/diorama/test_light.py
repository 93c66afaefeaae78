from __future__ import annotations

import numpy as np
import pytest

from daybreak.diorama.light import Atmosphere, make_atmosphere, noise_texture
from daybreak.diorama.palettes import DAYLIGHT, LIT_WINDOWS, PLACES, WALLS, WATERS
from daybreak.diorama.scene import ENVIRONMENTS, TIMES_OF_DAY, WEATHERS


def make(environment: str = "meadow", time_of_day: str = "noon", weather: str = "clear", seed: int = 0) -> Atmosphere:
    return make_atmosphere(environment, time_of_day, weather, np.random.default_rng(seed), 5, 24.0)


def arrays(air: Atmosphere) -> list[np.ndarray]:
    return [air.light, air.times, air.mountains, air.stars, air.ground, air.particles.rows]


def test_every_word_has_a_palette() -> None:
    assert set(PLACES) == set(ENVIRONMENTS)
    assert set(DAYLIGHT) == set(WALLS) == set(WATERS) == set(LIT_WINDOWS) == set(TIMES_OF_DAY)


def test_the_same_seed_gives_the_same_arrays_and_another_does_not() -> None:
    for first, second in zip(arrays(make(weather="snow")), arrays(make(weather="snow")), strict=True):
        np.testing.assert_array_equal(first, second)
    assert make(seed=1).light != make().light


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("time_of_day", TIMES_OF_DAY)
def test_every_atmosphere_is_finite_and_lit_from_above(environment: str, time_of_day: str) -> None:
    for weather in WEATHERS:
        air = make(environment, time_of_day, weather)
        light = air.light[0]
        for name in light.dtype.names:
            assert np.isfinite(light[name]).all(), name
        assert np.linalg.norm(light["sun"]) == pytest.approx(1)
        assert light["sun"][2] > 0.3
        assert 0 <= air.ground.min() <= air.ground.max() <= 1
        assert light["mountain_top"] == air.mountains.max() < 0.6


def test_times_are_seconds() -> None:
    np.testing.assert_allclose(make().times, np.arange(5) / 24)


def test_only_the_beach_has_a_shore() -> None:
    for environment in ENVIRONMENTS:
        shore = make(environment).shore
        assert (shore is not None) == (environment == "beach")
    assert all(1.5 <= (make("beach", seed=seed).shore or 0) <= 3 for seed in range(20))


def test_textures_have_no_fine_detail_and_no_seam() -> None:
    for texture in (noise_texture(), make("meadow").ground, make("snowfield").ground):
        spectrum = np.abs(np.fft.rfft2(texture - texture.mean())) ** 2
        frequency = np.hypot(np.fft.fftfreq(128, 1 / 128)[:, None], np.arange(65)[None])
        assert spectrum[frequency > 16].sum() < 1e-3 * spectrum.sum()
        wrap = np.abs(texture[0] - texture[-1]).max()
        assert wrap <= 1.5 * np.abs(np.diff(texture, axis=0)).max()


def test_rain_greys_the_sky_and_fog_hides_what_is_far() -> None:
    def saturation(colour: np.ndarray) -> float:
        return float(colour.max() - colour.min())

    clear, rain, fog = (make(weather=weather).light[0] for weather in ("clear", "rain", "fog"))
    assert saturation(rain["zenith"]) < 0.6 * saturation(clear["zenith"])
    assert fog["fog_density"] > 20 * clear["fog_density"]
    np.testing.assert_array_equal(fog["far"], fog["fog"])


def test_lightning_lights_a_storm_and_rises_and_falls_smoothly() -> None:
    assert (make(weather="rain").flashes == 0).all()
    for seed in range(20):
        air = make_atmosphere("meadow", "noon", "storm", np.random.default_rng(seed), 49, 24.0)
        assert 0.8 < air.flashes.max() <= 1
        assert np.abs(np.diff(air.flashes)).max() < 0.75
        assert 1 <= (np.diff(np.concatenate(((0,), air.flashes > 0.6)).astype(int)) > 0).sum() <= 2
        bright, dark = air.light_at(int(air.flashes.argmax())), air.light_at(int(air.flashes.argmin()))
        assert (bright["ambient"] > dark["ambient"] + 0.3).all()
        assert air.light["flash"] == 0


def test_no_star_stands_beside_the_moon() -> None:
    for seed in range(20):
        air = make(time_of_day="night", seed=seed)
        disc = air.light["disc"][0]
        azimuth = 0.5 + np.arctan2(disc[0], disc[1]) / (2 * np.pi)
        up = air.stars[air.stars[:, 1] > 0]
        assert np.abs(up[:, 0] - azimuth).min() >= 0.03
        assert (up[:, 2] * 256 / 0.72 > 3).all(), "a star is a disc of at least six pixels, not a point"


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(KeyError):
        make("atlantis")
