"""Everything around the subjects as the renderer reads it: one record of colours and numbers, textures, particles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from daybreak.diorama.palettes import (
    DAYLIGHT,
    LAMPS,
    LIT_WINDOWS,
    PLACES,
    RUGS,
    WALLS,
    WATERS,
    Colour,
    Daylight,
    Place,
)
from daybreak.diorama.particles import Particles, make_particles
from daybreak.diorama.surfaces import GROUND_PERIOD

_COLOURS = (
    "sun", "sun_colour", "ambient", "disc", "disc_colour", "zenith", "horizon", "far", "cloud", "fog", "ground",
    "ground2", "path", "mountain", "water", "wall", "lamp",
)  # fmt: skip
_PAIRS = ("cloud_offset", "earth", "window", "lamp_place")
_NUMBERS = (
    "softness", "disc_cosine", "disc_visible", "glow", "cloud_cover", "star_brightness", "earth_radius",
    "mountain_top", "mountain_snow", "snow_cover", "fog_density", "fog_start", "path_width", "path_place",
    "path_bend", "shore", "shore_phase", "lane", "indoor", "submerged", "shafts", "lit_windows", "flash", "bolt",
)  # fmt: skip
LIGHT = np.dtype(
    [(name, np.float64, 3) for name in _COLOURS]
    + [(name, np.float64, 2) for name in _PAIRS]
    + [(name, np.float64) for name in _NUMBERS]
)
NO_SHORE = 1e6
NUM_STARS = 40
_TEXTURE = 128  # texels a side of the ground's texture and of the noise: a power of two


@dataclass(frozen=True)
class Atmosphere:
    """Everything that the renderer needs beside primitives and cameras.

    light: (1,) record of LIGHT; times: (F,) seconds; mountains: (2, 512) elevation around the horizon;
    stars: (S, 3) azimuth 0..1, elevation, radius in radians; ground, noise: (128, 128) in 0..1;
    flashes: (F,) how bright the lightning is, 0..1.
    """

    light: NDArray[np.void]
    times: NDArray[np.float64]
    mountains: NDArray[np.float64]
    stars: NDArray[np.float64]
    ground: NDArray[np.float64]
    noise: NDArray[np.float64]
    particles: Particles
    flashes: NDArray[np.float64]

    @property
    def shore(self) -> float | None:
        """The mean y of the shoreline in metres, water beyond it; None without water."""
        shore = float(self.light["shore"][0])
        return shore if shore < NO_SHORE else None

    def light_at(self, frame: int) -> NDArray[np.void]:
        """The light of one frame: that of the scene, with the lightning of the moment on all of it."""
        flash = self.flashes[frame]
        if flash < 0.01:
            return self.light
        light = self.light.copy()
        light["flash"] = flash
        light["ambient"] += 0.75 * flash * np.array((0.86, 0.90, 1.0))
        for name in ("horizon", "zenith", "cloud", "fog", "far"):
            light[name] += 0.55 * flash * (np.array((0.86, 0.89, 1.0)) - light[name])
        return light


def make_atmosphere(
    environment: str, time_of_day: str, weather: str, rng: np.random.Generator, num_frames: int, fps: float
) -> Atmosphere:
    """The surroundings of a scene; `rng` decides what no word names. KeyError on an unknown word."""
    place, day = PLACES[environment], DAYLIGHT[time_of_day]
    light = np.zeros(1, LIGHT)
    _light_sun(light, day, rng)
    _light_sky(light, day, rng)
    _light_ground(light, place, rng)
    if place.airless:
        _moonlike(light, day, rng)
    if place.indoor:
        _roomlike(light, time_of_day, rng)
    if place.submerged:
        _sealike(light, time_of_day)
    _apply_weather(light, weather, place)
    light["lit_windows"] = LIT_WINDOWS[time_of_day]
    drifting = "bubbles" if place.submerged and weather == "clear" else weather
    times = np.arange(num_frames) / fps
    mountains = _mountains(place, rng)
    light["mountain_top"] = mountains.max()
    return Atmosphere(
        light=light,
        times=times,
        mountains=mountains,
        stars=_stars(light, rng),
        ground=_ground_texture(place, rng),
        noise=noise_texture(),
        particles=make_particles(drifting, rng, times),
        flashes=_flashes(rng, times) if weather == "storm" else np.zeros(num_frames),
    )


def _direction(azimuth: float, elevation: float) -> Colour:
    """The unit vector at an azimuth off the viewing direction (positive: to the right) and an elevation, radians."""
    flat = math.cos(elevation)
    return flat * math.sin(azimuth), flat * math.cos(azimuth), math.sin(elevation)


def _light_sun(light: NDArray[np.void], day: Daylight, rng: np.random.Generator) -> None:
    side = rng.choice([-1.0, 1.0])
    light["sun"] = _direction(side * rng.uniform(*day.side), day.elevation)
    light["sun_colour"], light["ambient"], light["softness"] = day.sun, day.ambient, day.softness
    # The disc stands in the picture on the side from which the light comes, nearer to the middle than the light:
    # a subject lit from straight behind would be black.
    light["disc"] = _direction(side * rng.uniform(0.15, 0.5), day.disc_height or day.elevation)
    light["disc_colour"], light["disc_cosine"] = day.disc, math.cos(day.disc_radius)
    light["disc_visible"], light["glow"] = float(day.disc_height > 0), day.glow


def _light_sky(light: NDArray[np.void], day: Daylight, rng: np.random.Generator) -> None:
    light["horizon"], light["zenith"], light["fog"] = day.horizon, day.zenith, day.horizon
    light["cloud"], light["cloud_cover"] = day.cloud, rng.uniform(*day.clouds)
    light["cloud_offset"] = rng.uniform(0, 1, 2)
    light["star_brightness"] = 0.85 if day.night else 0.0
    light["fog_density"] = 0.004


def _light_ground(light: NDArray[np.void], place: Place, rng: np.random.Generator) -> None:
    light["ground"], light["ground2"], light["path"] = place.ground, place.ground2, place.path
    light["path_width"] = rng.choice(place.path_width)
    light["lane"] = float(place.lane)
    light["path_bend"] = place.path_bend * rng.uniform(-1, 1)
    light["mountain"], light["snow_cover"] = place.mountain, place.snow_cover
    light["mountain_snow"] = float(place.snow_cover > 0)
    horizon, mountain = light["horizon"][0], light["mountain"][0]
    # Distance darkens with the light of the day: a green hill at night is blue.
    bright = np.clip(light["ambient"][0] + 0.5 * light["sun_colour"][0], 0, 1)
    light["mountain"] = mountain * bright
    light["far"] = horizon if place.water else 0.2 * horizon + 0.8 * light["mountain"][0]
    water = np.array((0.06, 0.36, 0.52))
    light["water"], light["shore"] = water, rng.uniform(1.5, 3.0) if place.water else NO_SHORE
    light["shore_phase"] = rng.uniform(0, 2 * math.pi)


def _moonlike(light: NDArray[np.void], day: Daylight, rng: np.random.Generator) -> None:
    horizon = np.array(day.horizon)
    tint = 0.05 if day.night else 0.16
    light["zenith"], light["horizon"] = (0.01, 0.01, 0.04), tint * horizon + np.array((0.01, 0.01, 0.05))
    light["fog"] = light["horizon"]
    light["far"] = 0.2 * light["horizon"] + 0.8 * light["mountain"]
    light["fog_density"], light["cloud_cover"], light["star_brightness"] = 0.0, 0.0, 0.9
    light["disc_visible"], light["glow"] = 0.0, 0.0
    azimuth = math.atan2(light["disc"][0, 0], light["disc"][0, 1])
    light["earth"] = (0.5 + azimuth / (2 * math.pi), rng.uniform(0.13, 0.19))
    light["earth_radius"] = 0.07


def _roomlike(light: NDArray[np.void], time_of_day: str, rng: np.random.Generator) -> None:
    light["indoor"], light["wall"] = 1.0, WALLS[time_of_day]
    light["lamp"] = LAMPS.get(time_of_day, (0.0, 0.0, 0.0))
    side = rng.choice([-1.0, 1.0])
    light["window"] = (side * rng.uniform(1.8, 2.8), 2.7)
    light["lamp_place"] = (-side * rng.uniform(2.0, 3.0), 2.2)
    light["path"] = RUGS[rng.integers(len(RUGS))]
    light["fog_density"] = 0.0
    light["softness"] = 2.0 * light["softness"]


def _sealike(light: NDArray[np.void], time_of_day: str) -> None:
    distance, surface, shafts = WATERS[time_of_day]
    light["submerged"], light["shafts"] = 1.0, shafts
    light["horizon"] = light["fog"] = light["far"] = distance
    light["zenith"] = surface
    light["fog_density"], light["fog_start"] = 0.075, 4.5
    light["cloud_cover"] = light["star_brightness"] = light["disc_visible"] = light["glow"] = 0.0
    light["ambient"] *= (1.0, 1.0, 0.94) if time_of_day == "night" else (0.86, 1.0, 1.0)  # water swallows red first
    light["sun_colour"] *= (0.86, 1.0, 0.98)
    light["softness"] *= 2.0


def _flashes(rng: np.random.Generator, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lightning about once a second: up in two frames, down in half a second, so that nothing jumps."""
    first, period = rng.uniform(0.25, 0.7), rng.uniform(1.0, 1.4)
    after = (times - first) % period
    before = period - after
    return np.asarray(np.maximum(np.exp(-after / 0.16), np.exp(-((before / 0.08) ** 2))))


def _apply_weather(light: NDArray[np.void], weather: str, place: Place) -> None:
    if weather == "fog":
        light["fog_density"], light["fog_start"] = 0.20, 2.6
        grey = light["horizon"][0].mean() * np.ones(3)
        light["fog"] = light["far"] = 0.45 * light["horizon"][0] + 0.55 * grey
        light["disc_visible"] = 0.0
    if weather == "storm" and not place.airless:
        for name in ("horizon", "zenith", "cloud", "fog", "far"):
            colour = light[name][0]
            light[name] = 0.6 * (0.5 * colour + 0.5 * colour.mean() * np.array((0.90, 0.98, 1.12)))
        light["cloud"] *= 0.7
        light["cloud_cover"] = 0.95
        light["ambient"] *= 0.74
        light["sun_colour"] *= 0.35
        light["mountain"] *= 0.6
        light["fog_density"] = np.maximum(light["fog_density"], 0.012)
        light["disc_visible"] = light["glow"] = light["star_brightness"] = 0.0
        light["softness"] *= 2.0
        light["bolt"] = 0.5 + light["disc"][0, 0] / (2 * math.pi)  # where the sun would stand
    if weather in ("rain", "snow") and not place.airless:
        for name, weight in (("horizon", 0.45), ("zenith", 0.5), ("cloud", 0.5), ("fog", 0.45), ("far", 0.45)):
            colour = light[name][0]
            light[name] = (1 - weight) * colour + weight * (0.92 * colour.mean() + 0.02)
        light["cloud_cover"] = np.maximum(light["cloud_cover"], 0.8)
        light["sun_colour"] *= 0.6
        light["disc_visible"] = 0.0
        light["glow"] *= 0.4
        light["softness"] *= 1.5


def _blobs(rng: np.random.Generator, cycles: float, size: int = _TEXTURE) -> NDArray[np.float64]:
    """Periodic soft noise (size, size), mean 0.5, in 0..1, with nothing finer than `cycles` waves a side."""
    frequency = np.fft.fftfreq(size, 1 / size)
    radius = np.hypot(frequency[:, None], frequency[None])
    radius[0, 0] = 1
    spectrum = np.fft.fft2(rng.standard_normal((size, size))) * np.exp(-((radius / cycles) ** 4)) / radius
    spectrum[0, 0] = 0
    field = np.fft.ifft2(spectrum).real
    return np.asarray(np.clip(0.5 + 0.22 * field / field.std(), 0, 1))


@lru_cache(maxsize=1)
def noise_texture() -> NDArray[np.float64]:
    """The one soft texture of clouds, waves and patches, (128, 128) in 0..1, read-only."""
    texture = _blobs(np.random.default_rng(1), cycles=7)
    texture.setflags(write=False)
    return texture


def _ground_texture(place: Place, rng: np.random.Generator) -> NDArray[np.float64]:
    """One period of the ground as a weight between its two colours, (128, 128); features are metres wide."""
    field = _blobs(rng, cycles=9)
    metres = np.arange(_TEXTURE) * GROUND_PERIOD / _TEXTURE
    if place.texture == "dunes":
        waves = 2 * math.pi * (metres[:, None] / 4.0 + 1.2 * _blobs(rng, cycles=4))
        field = 0.5 + 0.32 * np.sin(waves) + 0.3 * (field - 0.5)
    if place.texture == "craters":
        field = 0.62 + 0.4 * (field - 0.5) + _craters(rng, metres)
    return np.clip(0.5 + place.contrast * (field - 0.5), 0, 1)


def _craters(rng: np.random.Generator, metres: NDArray[np.float64]) -> NDArray[np.float64]:
    """Soft bowls with a bright rim, lit from the side, to be added to the moon's ground."""
    total = np.zeros((len(metres), len(metres)))
    for _ in range(44):
        cx, cy = rng.uniform(0, GROUND_PERIOD, 2)
        radius, half = rng.uniform(0.7, 2.0), GROUND_PERIOD / 2
        dx = (metres[None] - cx + half) % GROUND_PERIOD - half
        dy = (metres[:, None] - cy + half) % GROUND_PERIOD - half
        distance = np.hypot(dx, dy) / radius
        bowl = -0.42 * np.clip(1 - distance**4, 0, 1) * (1 - 0.6 * dx / radius)
        rim = 0.35 * np.exp(-(((distance - 1.12) / 0.22) ** 2))
        total = np.where(distance < 1.5, bowl + rim, total)
    return total


def _mountains(place: Place, rng: np.random.Generator) -> NDArray[np.float64]:
    """Elevation, in sines, of a far and a near ridge around the horizon: (2, 512)."""
    around = np.arange(512) / 512 * 2 * np.pi
    height, rough = place.ridge
    ridges = np.zeros((2, 512))
    for row in range(2):
        field = np.zeros(512)
        for cycles in range(3, 24):
            field += rng.standard_normal() / cycles * np.sin(cycles * around + rng.uniform(0, 2 * np.pi))
        if place.outline == "mesas":
            field = 0.7 * np.tanh(4 * field)
        if place.outline == "trees":
            field = 0.4 * field + 0.5 * np.abs(np.sin((26 + 9 * row) * around + 2 * field))
        if place.outline == "roofs":
            field = 0.3 * field + np.repeat(rng.uniform(-0.5, 0.9, 43 + 21 * row), 12 - 4 * row)[:512]
        if place.outline == "towers":
            field = np.repeat(rng.uniform(-0.9, 1.0, 64 + 32 * row), 8 - row * 2)[:512]
        ridges[row] = (1.0 - 0.4 * row) * (height + rough * field)
    return ridges


def _stars(light: NDArray[np.void], rng: np.random.Generator) -> NDArray[np.float64]:
    """One star for each equal slice of the horizon: azimuth in 0..1, elevation and radius in radians."""
    azimuth = (np.arange(NUM_STARS) + rng.uniform(0.2, 0.8, NUM_STARS)) / NUM_STARS
    elevation = rng.uniform(0.10, 0.42, NUM_STARS)
    disc = 0.5 + math.atan2(light["disc"][0, 0], light["disc"][0, 1]) / (2 * math.pi)
    elevation[np.abs(azimuth - disc) < 0.03] = -1.0  # none beside the moon or the earth
    return np.stack([azimuth, elevation, rng.uniform(0.010, 0.016, NUM_STARS)], 1)
